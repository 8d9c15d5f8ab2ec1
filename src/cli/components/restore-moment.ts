import { join, resolve } from 'node:path';
import { HoldfastError } from '../../errors/error.ts';
import type { Asked } from '../../job/bounded.ts';
import type { PlannedMoment } from '../../job/find-moment.ts';
import { restoreMoment } from '../../job/moment-restore.ts';
import { replayForecastText } from '../../objective/replay-forecast.ts';
import type { RestoreOptions } from '../../snapshot/restore.ts';
import type { Replayed } from '../../source/recovery.ts';
import type { MomentWords } from '../checks/moment-words.ts';
import { movedBy } from '../checks/restore.ts';
import type { Context } from '../context.ts';
import { formatBytes, formatSeconds, formatTime, plural, quoteForTerminal, shortPoint } from '../format.ts';
import { showExpected } from '../expected-view.ts';
import { flagName } from '../option.ts';
import { policyOf } from '../policy-file.ts';
import { rawArgument } from '../raw-argument.ts';
import { restoreView } from '../restore-view.ts';
import type { Named } from './moment.ts';
import { askedBy } from './moment-words.ts';
import { componentsMeant, recordingContext } from './context.ts';

interface Meant {
  readonly name: string;
  /** That of --at. */
  readonly moment: Named | undefined;
  readonly words: MomentWords & { readonly tablespace: readonly string[] };
  readonly target: string;
  readonly restore: RestoreOptions;
  /** Patterns of paths: a part of it would not start. */
  readonly asked: Asked;
}

/**
 * `restore COMPONENT --at|--lsn|--xid|--name|--latest|--immediate --target DIR`. Exit code 1: it is prepared, not brought
 * there. 'snapshots alone': the component has no log, or none of that time.
 */
export async function restoreMomentTo(
  { name, moment, words, target, restore, asked }: Meant,
  context: Context,
): Promise<number | 'snapshots alone'> {
  const { policy } = await policyOf(context);
  const [component = name] = componentsMeant(policy, [name], false);
  const { console } = context;
  if (moment !== undefined && policy.components[component]?.log === undefined) return 'snapshots alone';
  using view = restoreView(context, restore.mode);
  const mode = restore.mode === 'dry-run' ? 'dry-run' : 'execute';
  await using base = await recordingContext(context, policy, { mode, listener: view.listener });
  const outcome = await restoreMoment(base, {
    ...askedBy(words, base, component, moment?.ns),
    component,
    otherwise: words.at === undefined ? 'nothing' : 'a snapshot',
    target: rawArgument(target),
    moved: movedBy(words.tablespace),
    restore,
    onPlan: (plan) => {
      assertWhole(asked);
      showPlannedMoment(plan, context);
      if (console.form !== 'json') console.say(afterwards);
    },
    onCopy: ({ timeNs, identity }, { repository }) =>
      console.say(`${component}: point ${shortPoint(identity)} of ${formatTime(timeNs)}, from ${repository}`),
  });
  if (outcome === 'snapshots alone') {
    console.say(`no log of then is kept: the newest backup before serves, up to its own end`);
    return outcome;
  }
  const { done, planned } = outcome;
  if (done === undefined) return 0;
  view.finish(done.restored);
  showReplayed(done.replayed, { planned, folder: join(resolve(target), component) }, context);
  return done.replayed.state === 'recovered' ? 0 : 1;
}

function assertWhole(asked: Asked): void {
  const [pattern] = Object.keys(asked);
  if (pattern === undefined) return;
  throw new HoldfastError(
    'usage',
    `restore: a moment of a log comes back whole: ${flagName(pattern)} goes with a backup alone`,
    {
      next: 'Without a moment the newest backup is meant, whose files can be picked. Nothing was changed.',
    },
  );
}

const afterwards = 'afterwards: a cluster of its own, which archives nothing; slots and standbys are not brought along';

/** From what, by which part of the log, and how long it takes. */
export function showPlannedMoment(planned: PlannedMoment, context: Context, uncounted = ''): void {
  const { console } = context;
  const { plan, survey, positionText, places, logBytes, sizeBytes } = planned;
  const { base, lineage, parts, to } = plan;
  const path = lineage.epochs.map(({ epoch }) => epoch).toReversed();
  if (console.form === 'json') {
    console.record({
      message_type: 'moment_plan',
      base: base.identity,
      base_time: formatTime(base.timeNs),
      from: positionText(base.log.from),
      to: positionText(to),
      timelines: path,
      follows: planned.follows ?? null,
      stop: survey.stop === undefined ? null : positionText(survey.stop.at),
      segments: parts.length,
      places: Object.fromEntries(places),
      log_bytes: logBytes,
      size_bytes: sizeBytes ?? null,
      replay_seconds: planned.replay.seconds ?? null,
      left_behind: planned.leftBehind ?? null,
    });
    return showExpected(planned.expected, context, uncounted);
  }
  const from = [...places].map(([place, count]) => `${count} from ${place}`).join(', ');
  console.say(`base: point ${shortPoint(base.identity)} of ${formatTime(base.timeNs)}`);
  console.say(
    `log: ${plural(parts.length, 'segment')}${from === '' ? '' : ` (${from})`}, held up to ${positionText(to)}, timeline ${path.join(' → ')}`,
  );
  if (planned.follows !== undefined) console.say(planned.follows);
  const { stop } = survey;
  if (stop !== undefined)
    console.say(`stops at ${positionText(stop.at)}${stop.timeNs === undefined ? '' : `, of ${instant(stop.timeNs)}`}`);
  const disk = sizeBytes === undefined ? 'unknown' : formatBytes(sizeBytes);
  console.say(`disk: ${disk} for the backup, at most ${formatBytes(logBytes)} more for the log`);
  showExpected(planned.expected, context, uncounted);
  console.say(`replay: ${replayForecastText(planned.replay)}`);
}

const instant = (timeNs: bigint): string => Temporal.Instant.fromEpochNanoseconds(timeNs).toString();

interface ReplayedIn {
  readonly planned: Pick<PlannedMoment, 'positionText'>;
  readonly folder: string;
}

function showReplayed(replayed: Replayed, { planned, folder }: ReplayedIn, { console }: Context): void {
  const { positionText } = planned;
  if (console.form === 'json') return console.record({ message_type: 'replay', ...recordOf(replayed, positionText) });
  if (replayed.state === 'prepared') {
    console.say(`prepared, not replayed: ${replayed.reason}`);
    return console.say(replayed.next);
  }
  const { stopped, position, lastCommit, epoch, seconds } = replayed;
  console.say(`replayed: ${stopped}`);
  if (position !== undefined) console.say(`the last record is at ${positionText(position)}`);
  if (lastCommit !== undefined) console.say(`the last transaction ended at ${lastCommit}`);
  if (epoch !== undefined) console.say(`it goes on as timeline ${epoch}`);
  console.say(`${formatSeconds(seconds.replay)} to replay, ${formatSeconds(seconds.finish)} to finish`);
  console.say(quoteForTerminal(`it stands in ${folder}, ended in order: start it from there`));
}

function recordOf(replayed: Replayed, positionText: PlannedMoment['positionText']): Readonly<Record<string, unknown>> {
  if (replayed.state === 'prepared') return replayed;
  const { state, stopped, position, lastCommit, epoch, seconds } = replayed;
  const at = position === undefined ? null : positionText(position);
  return { state, stopped, position: at, last_commit: lastCommit ?? null, timeline: epoch ?? null, seconds };
}

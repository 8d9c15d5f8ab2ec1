import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { displayPath, type RawPath } from '../bytes/ids.ts';
import { HoldfastError } from '../errors/error.ts';
import { reachesOf, type MomentAsked, type MomentPlan, type Stop, type Unreachable } from '../point/moment.ts';
import type { RecoverablePoint, StoredCopy } from '../point/point.ts';
import type { RecoveryDriver, Replay, Replayed, Survey } from '../source/recovery.ts';
import type { RestoreOptions, RestoreOutcome } from '../snapshot/restore.ts';
import { recorded, type ComponentContext } from './component.ts';
import { restorePoint } from './component-restore.ts';
import { expectedRestores, type ExpectedRestore } from './expected.ts';
import { assertNoObstacle, planMoment } from './plan-moment.ts';
import { feedOf, openLogs, readerOf, type ReadLog } from './read-log.ts';
import { logPlaces } from './log-places.ts';
import { openSource } from './open-source.ts';
import { listPoints } from './points.ts';

export interface MomentRestoreOptions extends MomentAsked {
  readonly component: string;
  /** What serves where no log leads from a backup before the moment. */
  readonly otherwise: 'a snapshot' | 'nothing';
  readonly target: RawPath;
  readonly restore: RestoreOptions;
  /** Told before anything is touched. */
  readonly onPlan: (plan: PlannedMoment) => void;
  /** Told which copy is read; again for each that has to take over. */
  readonly onCopy: (point: RecoverablePoint, copy: StoredCopy) => void;
}

/** What will be done, and what is known of how long it takes. */
export interface PlannedMoment {
  readonly plan: MomentPlan;
  readonly survey: Survey;
  readonly driver: RecoveryDriver;
  readonly positionText: (position: bigint) => string;
  /** Where each part of the log is read first, and how many parts there. */
  readonly places: ReadonlyMap<string, number>;
  readonly logBytes: number;
  /** What the point takes on disk, as the backup counted it. */
  readonly sizeBytes: number | undefined;
  readonly expected: readonly ExpectedRestore[];
}

export interface MomentRestoreOutcome {
  readonly planned: PlannedMoment;
  /** Undefined in a dry run. */
  readonly done?: { readonly restored: RestoreOutcome; readonly replayed: Replayed; readonly fetchSeconds: number };
}

/**
 * Brings a component to a moment between its backups, in a folder: the newest backup before it, from the nearest copy that
 * nobody found bad, and what its log says since. 'snapshots alone': no log is of that time. 'unreachable', before anything is touched, where that can't be.
 */
export async function restoreMoment(
  context: ComponentContext,
  options: MomentRestoreOptions,
): Promise<MomentRestoreOutcome | 'snapshots alone'> {
  await using closing = new AsyncDisposableStack();
  const found = await findMoment(context, options, closing);
  if (found === 'snapshots alone') return found;
  options.onPlan(found.planned);
  const { planned } = found;
  if (options.restore.mode === 'dry-run') return { planned };
  const about = { kind: 'restore', component: options.component } as const;
  const run = async (): Promise<Done> => await execute(context, options, found);
  return { planned, done: await recorded(context, about, run, (done) => dataOf(options, found.planned, done)) };
}

type Done = NonNullable<MomentRestoreOutcome['done']> & { readonly from: string };

interface Found {
  readonly held: ReadLog;
  readonly planned: PlannedMoment;
}

async function findMoment(
  context: ComponentContext,
  asked: MomentRestoreOptions,
  closing: AsyncDisposableStack,
): Promise<Found | 'snapshots alone'> {
  const { component: name } = asked;
  const { [name]: component } = context.policy.components;
  if (component === undefined) throw new HoldfastError('usage', `the policy has no component ${name}`);
  const { recovery: driver, log } = openSource(context, name, component);
  const named = logPlaces(context, component);
  if (driver === undefined || log === undefined || named.length === 0) throw withoutLog(name);
  const { points, records } = await listPoints(context, [name]);
  const stream = points.findLast(({ log }) => log !== undefined)?.log?.stream;
  if (stream === undefined) throw withoutPosition(name);
  const held = closing.use(await openLogs(context, name, stream, named));
  const reaches = reachesOf(points, held, asked.epoch);
  const found = await planMoment(asked, reaches, async (plan) => await driver.survey(asked, readerOf(held, plan)));
  if ('reason' in found && found.only === 'snapshots' && asked.otherwise === 'a snapshot') return 'snapshots alone';
  if ('reason' in found) throw unreachable(name, found, log.positionText);
  const { plan, survey } = found;
  assertNoObstacle(name, survey);
  const expected = expectedRestores(context.policy, plan.base, records);
  const logBytes = plan.parts.length * sizeOfParts(held);
  const { positionText } = log;
  const [places, { sizeBytes }] = [firstPlaces(held, plan), plan.base];
  const planned = { plan, survey, driver, positionText, places, logBytes, sizeBytes, expected };
  return { held, planned };
}

function sizeOfParts({ listing: { segments, pieces } }: ReadLog): number {
  const one = segments[0] ?? pieces[0]?.segment;
  return one === undefined ? 0 : Number(one.to - one.from);
}

function firstPlaces({ places }: ReadLog, { parts }: MomentPlan): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  const keys = places.map(({ repository, listing }) => ({
    repository,
    held: new Set(listing.segments.map(({ epoch, from }) => `${epoch} ${from}`)),
    open: new Set(listing.pieces.map(({ segment, from }) => `${segment.epoch} ${from}`)),
  }));
  for (const part of parts) {
    const place = keys.find(({ held, open }) =>
      part.held === 'segment'
        ? held.has(`${part.extent.epoch} ${part.extent.from}`)
        : part.pieces.every(({ segment, from }) => open.has(`${segment.epoch} ${from}`)),
    );
    const name = place?.repository ?? 'several together';
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

async function execute(context: ComponentContext, options: MomentRestoreOptions, found: Found): Promise<Done> {
  const { component, target, restore } = options;
  const { plan, driver } = found.planned;
  const folder = join(displayPath(target), component);
  assertFree(displayPath(target), displayPath(driver.last));
  const replay: Replay = {
    ...options,
    epoch: plan.lineage.epochs[0]?.epoch ?? plan.base.log.epoch,
    folder,
    feed: feedOf(found.held, plan),
    needs: found.planned.survey.needs,
    clock: context.clock,
    signal: context.signal,
    listener: context.listener,
  };
  const startedMs = context.clock.monotonicMs();
  const ready = async (): Promise<void> => await driver.prepare(replay);
  const restored = await restorePoint(context, plan.base, { ...options, restore, ready });
  const fetchSeconds = (context.clock.monotonicMs() - startedMs) / 1000;
  if (restored.failures > 0) throw incomplete(component, restored.failures);
  return { restored, replayed: await driver.replay(replay), fetchSeconds, from: restored.copy.repository };
}

/** What is complete may be in use, and what a server wrote there since would mix with what is restored. */
function assertFree(target: string, last: string): void {
  if (!existsSync(join(target, last))) return;
  throw new HoldfastError('refused', `${join(target, last)} is there: a cluster stands in this folder`, {
    next: 'Restore into an empty folder. Nothing was changed.',
  });
}

function dataOf(
  { target, moment }: MomentRestoreOptions,
  { plan, logBytes }: PlannedMoment,
  { replayed, fetchSeconds, restored, from }: Done,
): Readonly<Record<string, unknown>> {
  return {
    outcome: replayed.state === 'recovered' ? 'done' : 'prepared',
    point: plan.base.identity,
    from,
    target: displayPath(target),
    moment: moment.kind,
    failures: restored.failures,
    ...(replayed.state === 'recovered'
      ? { stopped: replayed.stopped, logBytes, seconds: { fetch: fetchSeconds, ...replayed.seconds } }
      : {}),
  };
}

function withoutLog(component: string): HoldfastError {
  return new HoldfastError('unsupported', `${component} has no log: only its backups can be brought back`, {
    next: `\`log:\` in the policy keeps one from now on; \`restore ${component} --at TIME\` takes a backup. Nothing was changed.`,
  });
}

function withoutPosition(component: string): HoldfastError {
  return new HoldfastError('unreachable', `no backup of ${component} says where it stands in the log`, {
    next: `Run \`holdfast backup ${component}\`: moments from then on can be brought back. Nothing was changed.`,
  });
}

function unreachable(
  component: string,
  { reason, before, after }: Unreachable,
  positionText: PlannedMoment['positionText'],
): HoldfastError {
  const text = ({ at, timeNs }: Stop): string =>
    timeNs === undefined
      ? positionText(at)
      : `${Temporal.Instant.fromEpochNanoseconds(timeNs).toString()} (${positionText(at)})`;
  const nearest = [
    ...(before === undefined ? [] : [`up to ${text(before)}`]),
    ...(after === undefined ? [] : [`from ${text(after)} on`]),
  ];
  const can = nearest.length === 0 ? '' : `; what can be brought back: ${nearest.join(', or ')}`;
  return new HoldfastError('unreachable', `${component}: that moment can’t be brought back: ${reason}${can}`, {
    next: `\`--latest\` brings back all there is; \`holdfast snapshots ${component} --points\` shows it. Nothing was changed.`,
  });
}

function incomplete(component: string, failures: number): HoldfastError {
  return new HoldfastError('refused', `${component}: ${failures} items could not be restored, told above`, {
    next: 'What was restored can’t be started. Mend what is told, and run the same command again.',
  });
}

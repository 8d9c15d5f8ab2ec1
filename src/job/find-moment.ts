import { HoldfastError } from '../errors/error.ts';
import { reachesOf, type MomentAsked, type MomentPlan, type Stop, type Unreachable } from '../point/moment.ts';
import type { RecoveryDriver, Replay, Survey } from '../source/recovery.ts';
import type { ComponentContext } from './component.ts';
import { expectedRestores, type ExpectedRestore } from './expected.ts';
import { logPlaces } from './log-places.ts';
import { openSource } from './open-source.ts';
import { assertNoObstacle, planMoment } from './plan-moment.ts';
import { listPoints } from './points.ts';
import { feedOf, openLogs, readerOf, type ReadLog } from './read-log.ts';

export interface MomentWanted extends MomentAsked {
  readonly component: string;
  /** What serves where no log leads from a backup before the moment. */
  readonly otherwise: 'a snapshot' | 'nothing';
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

export interface FoundMoment {
  readonly held: ReadLog;
  readonly planned: PlannedMoment;
}

/**
 * How a moment is brought back, by what the repositories hold. What it reads later stays open until the stack is disposed of.
 * 'snapshots alone': it has no log that this version replays, or none of that time. 'unreachable' where it can't be.
 */
export async function findMoment(
  context: ComponentContext,
  asked: MomentWanted,
  closing: AsyncDisposableStack,
): Promise<FoundMoment | 'snapshots alone'> {
  const { component: name } = asked;
  const { [name]: component } = context.policy.components;
  if (component === undefined) throw new HoldfastError('usage', `the policy has no component ${name}`);
  const { recovery: driver, log } = openSource(context, name, component);
  const named = logPlaces(context, component);
  if (driver === undefined || log === undefined || named.length === 0) {
    if (asked.otherwise === 'a snapshot') return 'snapshots alone';
    throw withoutLog(name);
  }
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

/** What a driver is handed to bring a copy to the moment that was found. */
export function replayOf(
  { clock, signal, listener }: ComponentContext,
  { moment, edge }: MomentAsked,
  { held, planned: { plan, survey } }: FoundMoment,
): Omit<Replay, 'folder'> {
  const epoch = plan.lineage.epochs[0]?.epoch ?? plan.base.log.epoch;
  return { moment, edge, epoch, feed: feedOf(held, plan), needs: survey.needs, clock, signal, listener };
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

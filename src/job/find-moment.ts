import { HoldfastError } from '../errors/error.ts';
import {
  livingIn,
  mayBeNewer,
  noBackup,
  reachesOf,
  type MomentAsked,
  type MomentPlan,
  type Stop,
  type Unreachable,
} from '../point/moment.ts';
import { isKnownBad, type RecoverablePoint } from '../point/point.ts';
import type { RecoveryDriver, Replay, Survey } from '../source/recovery.ts';
import type { ComponentContext } from './component.ts';
import { replayForecast, type ReplayForecast } from '../objective/replay-forecast.ts';
import { expectedRestores, replaysIn, type ExpectedRestore } from './expected.ts';
import { assertFollowable } from './held-place.ts';
import { leftBehind, whyFollowed } from './left-behind.ts';
import { logPlaces } from './log-places.ts';
import { openSource } from './open-source.ts';
import { assertNoObstacle, planSoundFirst, withoutBackup, type SurveyedPlan } from './plan-moment.ts';
import { listPoints } from './points.ts';
import { feedOf, openLogs, readerOf, type ReadLog } from './read-log.ts';

export interface MomentWanted extends MomentAsked {
  readonly component: string;
  /** What serves where no log leads from a backup before the moment. */
  readonly otherwise: 'a snapshot' | 'nothing';
  /** Just from this point on. */
  readonly base?: string | undefined;
  /** The epoch of what stands in the place of what is brought back: it is followed where none is asked for. */
  readonly standing?: number | undefined;
  /** Where something of the newest log is that no place holds yet, and how it comes there, for people; undefined: nowhere. */
  readonly unstored?: string | undefined;
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
  /** Of the log alone. */
  readonly replay: ReplayForecast;
  /** Places of the log that could not be asked: they may hold more. */
  readonly unasked: readonly string[];
  /** Why just this epoch is followed, for people; undefined where there is no other. */
  readonly follows: string | undefined;
  /** What is held and not brought back though all was asked for, in words; undefined: nothing. */
  readonly leftBehind: string | undefined;
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
  const { points: all, records } = await listPoints(context, [name]);
  const points = all.filter(({ identity }) => asked.base === undefined || identity === asked.base);
  if (points.every((point) => point.log === undefined)) throw withoutPosition(name);
  const planIn = async (stream: string): Promise<PlannedIn | Unreachable> => {
    const held = closing.use(await openLogs(context, name, stream, named));
    const living = livingIn(held, all);
    const reaches = reachesOf(points, held, { ...asked, living });
    const wanted = [asked.epoch ?? [asked.standing, living]].flat().filter((epoch) => epoch !== undefined);
    assertFollowable(name, held, { wanted, followed: reaches[0]?.lineage.epochs[0]?.epoch });
    if (reaches.length === 0) return withoutBackup(asked.epoch, held.listing);
    const found = await planSoundFirst(asked, reaches, async (one) => await driver.survey(asked, readerOf(held, one)));
    return 'reason' in found ? found : { ...found, held, living };
  };
  const found = await planInOne(streamsOfMoment(asked, points), planIn);
  if ('reason' in found && found.only === 'snapshots' && asked.otherwise === 'a snapshot') return 'snapshots alone';
  if ('reason' in found) throw unreachable(asked, found, log.positionText);
  assertNoObstacle(name, found.survey);
  const planned = plannedBy(context, asked, { ...found, driver, positionText: log.positionText, records });
  const isWorst = asked.base === undefined && isKnownBad(found.plan.base);
  const damaged = isWorst ? 'a verification found its backup wrong, and no other leads as far' : undefined;
  for (const message of [planned.leftBehind, damaged])
    if (message !== undefined) context.listener({ kind: 'warning', during: 'restore', item: name, message });
  return { held: found.held, planned };
}

interface Chosen extends PlannedIn, Pick<PlannedMoment, 'driver' | 'positionText'> {
  readonly records: Awaited<ReturnType<typeof listPoints>>['records'];
}

/** What is to be known of a moment before anything is done. */
function plannedBy(
  { policy }: ComponentContext,
  asked: MomentWanted,
  { plan, survey, held, living, driver, positionText, records }: Chosen,
): PlannedMoment {
  const logBytes = plan.parts.length * sizeOfParts(held);
  const isAll = asked.moment.kind === 'latest' && asked.epoch === undefined;
  return {
    ...{ plan, survey, driver, positionText, logBytes },
    places: firstPlaces(held, plan),
    sizeBytes: plan.base.sizeBytes,
    expected: expectedRestores(policy, plan.base, records),
    replay: replayForecast(replaysIn(records, asked.component), logBytes),
    unasked: held.unasked,
    follows: whyFollowed(held, plan, { ...asked, living }),
    leftBehind: isAll ? leftBehind(held, { ...plan, living: asked.standing ?? living }, positionText) : undefined,
  };
}

interface PlannedIn extends SurveyedPlan {
  readonly held: ReadLog;
  readonly living: number | undefined;
}

/** Newest first: a cluster may have been replaced, as by an upgrade. The end of all there is stands in the newest. */
function streamsOfMoment({ moment }: MomentAsked, points: readonly RecoverablePoint[]): readonly string[] {
  const streams = [...new Set(points.flatMap(({ log }) => log?.stream ?? []).toReversed())];
  return moment.kind === 'latest' || moment.kind === 'consistent' ? streams.slice(0, 1) : streams;
}

/** What none of them has stands between the nearest of all. */
async function planInOne(
  streams: readonly string[],
  planIn: (stream: string) => Promise<PlannedIn | Unreachable>,
): Promise<PlannedIn | Unreachable> {
  let none: Unreachable = noBackup;
  for (const [index, stream] of streams.entries()) {
    const found = await planIn(stream);
    if (!('reason' in found)) return found;
    const { only, ...first } = index === 0 ? found : none;
    none = { ...first, before: first.before ?? found.before, ...(only && found.only && { only }) };
  }
  return none;
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
  return {
    moment,
    edge,
    epoch,
    feed: feedOf(held, plan),
    needs: survey.needs,
    end: survey.end,
    clock,
    signal,
    listener,
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
  { component, moment, unstored }: MomentWanted,
  found: Unreachable,
  positionText: PlannedMoment['positionText'],
): HoldfastError {
  const { reason, before, after } = found;
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
    next:
      unstored !== undefined && mayBeNewer(moment, found)
        ? `${unstored} \`holdfast snapshots ${component} --points\` shows what is stored. Nothing was changed.`
        : `\`--latest\` brings back all there is; \`holdfast snapshots ${component} --points\` shows it. Nothing was changed.`,
  });
}

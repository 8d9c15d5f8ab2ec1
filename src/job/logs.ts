import { hasCode, type HoldfastError } from '../errors/error.ts';
import type { Extent, Listing, LogStore, Sighting } from '../log/log.ts';
import { lastNamedGap } from '../log/ranges.ts';
import { openLog, streamsOf } from '../log/store.ts';
import type { Signs } from '../point/living.ts';
import { isKnownBad, type RecoverablePoint } from '../point/point.ts';
import { isReachable, rangesFrom, type HeldLog, type RecoverableRange } from '../point/range.ts';
import type { ComponentContext } from './component.ts';
import { fromEach } from './from-each.ts';
import { signsOf } from './signs.ts';

export interface LogsOutcome {
  /** By component and repository, in the policy's order. */
  readonly logs: readonly TimedLog[];
  /** Repositories whose log is not known, each told as a warning. */
  readonly unknown: readonly {
    readonly component: string;
    readonly repository: string;
    readonly error: HoldfastError;
  }[];
}

export interface TimedLog extends HeldLog {
  readonly ranges: readonly TimedRange[];
  readonly signs: Signs;
  /** When it was last stored to. */
  readonly endStoredNs: bigint | undefined;
  /** When all that the server had written was in it, where something in it leads up to there. */
  readonly sighting: Sighting | undefined;
  /** The newest gap that was named and is one still, and why. */
  readonly lastGap: { readonly extent: Extent; readonly reason: string } | undefined;
}

export interface TimedRange extends RecoverableRange {
  /** Of the newest change in its whole segments, by the server's clock: nanoseconds since 1970. */
  readonly untilNs: bigint | undefined;
  /** When its end was stored: what was committed before that, as the server had sent it, can be brought back. */
  readonly storedNs: bigint | undefined;
}

/** What the repositories of these components hold of their logs, and what can be brought back by it. */
export async function listLogs(
  context: ComponentContext,
  components: readonly string[],
  points: readonly RecoverablePoint[],
): Promise<LogsOutcome> {
  const [logs, unknown]: [LogsOutcome['logs'][number][], LogsOutcome['unknown'][number][]] = [[], []];
  for (const component of components) {
    const places = Object.keys(context.policy.components[component]?.log?.to ?? {});
    // No range begins at what was found wrong.
    const own = points.filter((point) => point.component === component && !isKnownBad(point));
    const ask = async (repository: string): Promise<LogsOutcome['logs']> =>
      await logsIn(context, component, repository, own);
    for (const { repository, value, error } of await fromEach(places, ask, context)) {
      logs.push(...(value ?? []));
      if (error === undefined) continue;
      unknown.push({ component, repository, error });
      const message = `its log of ${component} is not known: ${error.message}`;
      context.listener({ kind: 'warning', during: 'points', item: repository, message });
    }
  }
  return { logs, unknown };
}

async function logsIn(
  { access }: ComponentContext,
  component: string,
  repository: string,
  points: readonly RecoverablePoint[],
): Promise<LogsOutcome['logs']> {
  await using opened = await access(repository).open();
  const logs: LogsOutcome['logs'][number][] = [];
  for (const stream of await streamsOf(opened, component)) {
    const store = openLog(opened, { component, stream });
    const listing = await store.list();
    const histories = await Promise.all(listing.histories.map(async (epoch) => await store.getHistory(epoch)));
    const log: HeldLog = { component, repository, stream, listing, histories };
    const ranges = rangesFrom(log, points).map(async (range) => await timed(store, range));
    const timedRanges = await Promise.all(ranges);
    const seen = await store.sighting();
    const signs = await signsOf(store, listing, seen);
    const endStoredNs = latestOf(signs.arrived.map(({ timeNs }) => timeNs));
    const sighting = seen !== undefined && isReachable(seen, timedRanges) ? seen : undefined;
    const lastGap = await lastGapIn(store, listing);
    logs.push({ ...log, ranges: timedRanges, signs, endStoredNs, sighting, lastGap });
  }
  return logs;
}

function latestOf(times: readonly bigint[]): bigint | undefined {
  return times.toSorted((a, b) => (a < b ? -1 : 1)).at(-1);
}

async function lastGapIn(store: LogStore, listing: Listing): Promise<TimedLog['lastGap']> {
  const extent = lastNamedGap(listing);
  const reason = extent && (await ifThere(async () => await store.gapReason(extent)));
  return extent && reason !== undefined ? { extent, reason } : undefined;
}

async function timed(store: LogStore, range: RecoverableRange): Promise<TimedRange> {
  return { ...range, untilNs: await latestIn(store, range), storedNs: await storedNs(store, range) };
}

/** The piece at its end may have become a segment meanwhile: then nobody knows when, and nothing is claimed. */
async function storedNs(store: LogStore, { last }: Pick<RecoverableRange, 'last'>): Promise<bigint | undefined> {
  return await ifThere(async () => await store.storedNs(last));
}

async function ifThere<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (hasCode(error, 'storage-not-found')) return undefined;
    throw error;
  }
}

/** A segment in which nothing was committed tells no time: then one before it does, within reason. */
const mostAsked = 32;

async function latestIn(store: LogStore, { newest, log }: RecoverableRange): Promise<bigint | undefined> {
  if (newest === undefined) return undefined;
  const isBefore = (one: Extent): boolean => one.epoch <= newest.epoch && one.to <= newest.to;
  const before = log.listing.segments.filter(isBefore).toReversed().slice(0, mostAsked);
  for (const extent of before) {
    const about = await store.about(extent);
    if (about?.times !== undefined) return about.times.latestNs;
  }
  return undefined;
}

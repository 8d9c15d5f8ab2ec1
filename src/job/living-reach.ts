import { lineageOf } from '../log/cover.ts';
import { livingIn, type StreamHeld } from '../point/moment.ts';
import type { RecoverablePoint } from '../point/point.ts';
import { heldTogether } from './held-together.ts';
import type { LogsOutcome, TimedLog } from './logs.ts';

/** How far the log of a component leads, in whichever place: along the epochs that go on, for nobody follows another. */
export interface LogReach {
  /** When its newest end was stored. */
  readonly storedNs: bigint | undefined;
  /** When all that the server had written was seen to be there. */
  readonly seenNs: bigint | undefined;
  /** When the newest row of a heartbeat was written that can be brought back, by the server's clock. */
  readonly heartbeatNs: bigint | undefined;
  /** What came of others since, though they were left: as if the log went on. */
  readonly left: readonly LeftSince[];
}

export interface LeftSince {
  readonly epoch: number;
  readonly storedNs: bigint;
  /** The epoch that goes on instead. */
  readonly living: number;
}

export interface LivingReach {
  /** Undefined where nothing can be brought back by the log. */
  readonly log: LogReach | undefined;
  /** Whether a backup is of what was left: it brings back nothing of what goes on. */
  readonly isLeft: (point: Pick<RecoverablePoint, 'log'>) => boolean;
}

export function livingReach(
  logs: LogsOutcome['logs'],
  component: string,
  points: readonly RecoverablePoint[],
): LivingReach {
  const own = logs.filter((log) => log.component === component);
  const ways = new Map([...new Set(own.map(({ stream }) => stream))].map((name) => [name, wayOf(own, name, points)]));
  const isOn = (stream: string, epoch: number, to: bigint): boolean => ways.get(stream)?.isOn(epoch, to) ?? true;
  const leading = own.filter(({ ranges }) => ranges.length > 0);
  const isLeft: LivingReach['isLeft'] = ({ log }) => log !== undefined && !isOn(log.stream, log.epoch, log.to);
  if (leading.length === 0) return { log: undefined, isLeft };
  const storedNs = latest(
    leading.flatMap(({ stream, ranges }) =>
      ranges.flatMap((range) => (isOn(stream, range.epoch, range.to) ? (range.storedNs ?? []) : [])),
    ),
  );
  const seen = leading.flatMap(({ stream, sighting }) =>
    sighting !== undefined && isOn(stream, sighting.epoch, sighting.at) ? [sighting] : [],
  );
  const log: LogReach = {
    storedNs,
    seenNs: latest(seen.map(({ timeNs }) => timeNs)),
    heartbeatNs: latest(seen.flatMap(({ heartbeatNs }) => heartbeatNs ?? [])),
    left: leftSince(leading, ways, storedNs),
  };
  return { log, isLeft };
}

interface Way {
  readonly living: number | undefined;
  /** Whether what goes on has all of an epoch up to there. */
  readonly isOn: (epoch: number, to: bigint) => boolean;
}

/** Where nothing is dated, nobody knows of any that it was left. */
function wayOf(logs: LogsOutcome['logs'], stream: string, points: readonly RecoverablePoint[]): Way {
  const held: StreamHeld = heldTogether(logs, stream);
  const living = livingIn(held, points);
  if (living === undefined) return { living, isOn: () => true };
  const epochs = lineageOf(living, held.histories)?.epochs ?? [{ epoch: living, to: undefined }];
  return {
    living,
    isOn: (epoch, at) => epochs.some((one) => one.epoch === epoch && (one.to === undefined || at <= one.to)),
  };
}

function leftSince(
  logs: readonly TimedLog[],
  ways: ReadonlyMap<string, Way>,
  sinceNs: bigint | undefined,
): readonly LeftSince[] {
  const newest = new Map<number, LeftSince>();
  for (const { stream, ranges } of logs) {
    const way = ways.get(stream);
    if (way?.living === undefined) continue;
    for (const { epoch, to, storedNs } of ranges) {
      if (storedNs === undefined || way.isOn(epoch, to) || (sinceNs !== undefined && storedNs <= sinceNs)) continue;
      if ((newest.get(epoch)?.storedNs ?? 0n) < storedNs) newest.set(epoch, { epoch, storedNs, living: way.living });
    }
  }
  return [...newest.values()].toSorted((a, b) => a.epoch - b.epoch);
}

function latest(times: readonly bigint[]): bigint | undefined {
  return times.reduce<bigint | undefined>((most, one) => (most === undefined || one > most ? one : most), undefined);
}

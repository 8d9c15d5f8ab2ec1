import { lineageOf } from '../log/cover.ts';
import type { LogStore } from '../log/log.ts';
import { epochsOf, type Base, type StreamFacts, type Window } from '../log/window.ts';
import { livingEpoch } from '../point/living.ts';
import type { RecoverablePoint } from '../point/point.ts';
import { signsOf, told } from './signs.ts';

/** A backup as a window of its log sees it, and which it is. */
export interface PointBase extends Base {
  readonly point: RecoverablePoint;
}

/** Those of one stream. */
export function basesOf(points: readonly RecoverablePoint[], stream: string): readonly PointBase[] {
  return points.flatMap((point) => {
    const { log, timeNs, endNs = timeNs } = point;
    if (log?.stream !== stream) return [];
    return [{ point, timeNs: endNs > timeNs ? endNs : timeNs, epoch: log.epoch, from: log.from, to: log.to }];
  });
}

/** 2023: Holdfast made no backup before. A clock without a battery begins anew decades back. */
const earliestNs = 1_672_531_200_000_000_000n;

/** What of a log is kept for, as it stands at a time. */
export function windowAt(nowNs: bigint, lengthMs: number): Window {
  return { nowNs, lengthNs: BigInt(lengthMs) * 1_000_000n, earliestNs };
}

/**
 * Whether a stream goes on, as far as backups tell: the newest is of it. Nobody knows of one whose backups all were dated by a clock
 * that had been reset.
 */
export function standingOf(points: readonly RecoverablePoint[], stream: string): 'live' | 'over' {
  const own = points.filter(({ log }) => log?.stream === stream);
  const newest = points.findLast(({ log }) => log !== undefined);
  const isUnsure = own.length > 0 && own.every(({ timeNs }) => timeNs < earliestNs);
  return newest === undefined || newest.log?.stream === stream || isUnsure ? 'live' : 'over';
}

/**
 * What is to be known of one stream in one place. The epoch that goes on has no end, unless the stream is `over`; nor has the
 * highest one, until a backup was made of the one that goes on, behind where that was left: one that a clock running ahead
 * dated may be of before. Too much is kept rather than too little.
 */
export async function streamFacts(store: LogStore, bases: readonly Base[], is: 'live' | 'over'): Promise<StreamFacts> {
  const listing = await store.list();
  const histories = await Promise.all(listing.histories.map(async (epoch) => await store.getHistory(epoch)));
  const held = epochsOf(listing);
  const highest = Math.max(...held, ...bases.map(({ epoch }) => epoch));
  const signs = await signsOf(store, listing, await told(async () => await store.sighting()));
  const living = livingEpoch(histories, signs, bases) ?? highest;
  const fork = lineageOf(highest, histories)?.epochs.find(({ epoch }) => epoch === living)?.to ?? 0n;
  const ended = new Map<number, bigint>();
  for (const epoch of held) {
    const last = await endOf(store, listing, epoch);
    if (last === undefined || (epoch === living && is === 'live')) continue;
    const isLeft = bases.some((one) => one.epoch === living && one.to > fork && one.timeNs > last);
    if (epoch !== highest || isLeft || is === 'over') ended.set(epoch, last);
  }
  return { listing, histories, endedNs: (epoch) => ended.get(epoch) };
}

/** When the last of an epoch was stored; undefined where nobody knows. */
async function endOf(
  store: LogStore,
  { segments, pieces }: StreamFacts['listing'],
  epoch: number,
): Promise<bigint | undefined> {
  const last = [
    segments.findLast((one) => one.epoch === epoch),
    pieces.findLast(({ segment }) => segment.epoch === epoch),
  ];
  const times = await Promise.all(last.map(async (one) => one && (await told(async () => await store.storedNs(one)))));
  return times.reduce((most, one) => (most === undefined || (one !== undefined && one > most) ? one : most), undefined);
}

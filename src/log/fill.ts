import { hasCode } from '../errors/error.ts';
import { coverFrom, type Lineage, type Part } from './cover.ts';
import type { Extent, Left, Listing, LogStore, Noted } from './log.ts';

export interface FillOptions {
  readonly from: LogStore;
  readonly to: LogStore;
  readonly lineage: Lineage;
  /** The first position that `to` lacks. */
  readonly at: bigint;
  /** Nothing from here on is copied. */
  readonly until: bigint;
  readonly signal: AbortSignal;
  /** What a segment is noted with that has no sidecar in `from`. */
  readonly notedOf: (extent: Extent, bytes: Uint8Array) => Noted;
}

/**
 * Copies what one place holds of a log into another that was out of reach meanwhile, in the order of the log; resolves
 * with the first position that is not there now. A kill leaves what was copied, from which the next goes on.
 */
export async function fill(options: FillOptions): Promise<bigint> {
  const { from, to, lineage, at, until, signal } = options;
  const listing = await from.list();
  await fillEnds(from, to, listing);
  let reached = at;
  for (const part of coverFrom(listing, lineage, at).parts) {
    if (reached >= until) break;
    signal.throwIfAborted();
    reached = await fillPart(options, part);
  }
  return reached;
}

async function fillPart({ from, to, notedOf }: FillOptions, part: Part): Promise<bigint> {
  if (part.held === 'segment') {
    const bytes = await from.get(part.extent);
    const about = await from.about(part.extent);
    await to.put(part.extent, bytes, about ?? notedOf(part.extent, bytes));
    return part.extent.to;
  }
  for (const piece of part.pieces) await to.putPiece(piece, await from.getPiece(piece));
  return part.pieces.at(-1)?.to ?? part.segment.from;
}

/** Whence epochs come, which were left, and what they ended within. */
async function fillEnds(from: LogStore, to: LogStore, { histories, left, partials }: Listing): Promise<void> {
  const there = await to.list();
  for (const epoch of histories.filter((one) => !there.histories.includes(one)))
    await to.putHistory(await from.getHistory(epoch));
  const isSaid = (one: Left): boolean => there.left.some(({ epoch, at }) => epoch === one.epoch && at === one.at);
  for (const one of left.filter((each) => !isSaid(each))) await copyLeft(from, to, one);
  const isThere = (extent: Extent): boolean =>
    there.partials.some((one) => one.epoch === extent.epoch && one.from === extent.from);
  for (const extent of partials.filter((one) => !isThere(one)))
    await to.putPartial(extent, await from.getPartial(extent));
}

/** One that isn't sealed says nothing there either. */
async function copyLeft(from: LogStore, to: LogStore, left: Left): Promise<void> {
  try {
    await to.putLeft(left, await from.leftReason(left));
  } catch (error) {
    if (!hasCode(error, 'damaged', 'storage-not-found')) throw error;
  }
}

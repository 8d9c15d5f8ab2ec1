import { hasCode } from '../errors/error.ts';
import type { Extent, Left, Listing, LogStore, Sighting } from '../log/log.ts';
import type { Arrival, Signs } from '../point/living.ts';

/**
 * When what one place holds of a log arrived there, as far as it tells which epoch goes on: the end of each, and whence it
 * comes. A segment's end is no younger than the last change in it, however late it was copied there.
 */
export async function signsOf(store: LogStore, listing: Listing, sighting: Sighting | undefined): Promise<Signs> {
  const { segments, pieces, histories } = listing;
  const left = await leftIn(store, listing);
  const epochs = heldEpochs(listing);
  const arrived: Arrival[] = [];
  const add = (epoch: number, to: bigint, storedNs: bigint | undefined, timeNs = storedNs): void => {
    if (timeNs !== undefined) arrived.push({ epoch, to, timeNs, storedNs });
  };
  // All that an epoch has written stands behind its beginning.
  for (const epoch of histories) add(epoch, 0n, await told(async () => await store.storedNs({ historyOf: epoch })));
  for (const epoch of epochs) {
    const last = segments.findLast((one) => one.epoch === epoch);
    if (last !== undefined) {
      const storedNs = await told(async () => await store.storedNs(last));
      add(epoch, last.to, storedNs, epochs.size > 1 ? await endedNs(store, last, storedNs) : storedNs);
    }
    const piece = pieces.findLast(({ segment }) => segment.epoch === epoch);
    if (piece !== undefined) add(epoch, piece.to, await told(async () => await store.storedNs(piece)));
  }
  if (sighting === undefined) return { arrived, seen: [], left };
  const { epoch, at: to, timeNs } = sighting;
  return { arrived, seen: [{ epoch, to, timeNs }], left };
}

/** What was said with the repository's key: a name alone, which anybody could make, turns nothing round. */
export async function leftIn(store: LogStore, { left }: Pick<Listing, 'left'>): Promise<readonly Left[]> {
  const said: Left[] = [];
  for (const one of left) if ((await told(async () => await store.leftReason(one))) !== undefined) said.push(one);
  return said;
}

/** Of which anything is held, be it that it began. */
export function heldEpochs({ segments, pieces, histories }: Listing): ReadonlySet<number> {
  const epochs = new Set([...histories, ...pieces.map(({ segment }) => segment.epoch)]);
  for (const { epoch } of segments) epochs.add(epoch);
  return epochs;
}

async function endedNs(store: LogStore, last: Extent, storedNs: bigint | undefined): Promise<bigint | undefined> {
  const changedNs = (await told(async () => await store.about(last)))?.times?.latestNs;
  return storedNs !== undefined && changedNs !== undefined && changedNs < storedNs ? changedNs : storedNs;
}

/** What has gone meanwhile, or is damaged, tells nothing. */
export async function told<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (hasCode(error, 'storage-not-found', 'damaged', 'unsupported')) return undefined;
    throw error;
  }
}

import { HoldfastError, hasCode } from '../../../errors/error.ts';
import type { About, Extent, Listing, LogStore } from '../../../log/log.ts';
import { lsnText } from '../lsn.ts';
import { keyOf, type ArchivePlace } from './place.ts';

interface Copying {
  readonly from: ArchivePlace;
  readonly to: ArchivePlace;
  /** What ended before is past the window. */
  readonly sinceNs: bigint;
  readonly signal: AbortSignal;
  /** What can't be had there, however often it is asked for, is left out; in words. */
  readonly onUnreadable: (what: string, why: HoldfastError) => void;
  /** Whether a required place held nothing at first, and is due all of it; asked once it is open. */
  readonly isDueAll?: () => boolean;
  /** What comes by itself is left to that, where it isn't known yet to be the server's own. */
  readonly isToCome?: ((extent: Extent) => boolean) | undefined;
  /** Whether they are compared by what they hold now, though they lacked nothing of each other when they were opened. */
  readonly isListedAnew?: boolean;
}

/** What one holds and another doesn't, but for what is another's or would stand behind it, and what comes by itself. */
type Lacking = Pick<Listing, 'segments' | 'partials' | 'histories' | 'left'>;

/**
 * What a place lacks of all that another holds within its window; the newest first: that is asked for most, and the window
 * ends somewhere before. What fails is blamed on the place that it was asked of; 'log-conflict' where they hold two logs.
 */
export async function copyLog(copying: Copying): Promise<void> {
  const [held, there] = await listings(copying);
  const lacking = lackingIn(copying, there, held);
  await assertOneLog(copying, held, there);
  await copyEnds(copying, lacking, held);
  for await (const segment of within(copying, lacking.segments)) await copySegment(copying, segment);
}

/**
 * As `copyLog`, but only behind the oldest segment that the place held when it was opened, or all where it held none, and was
 * not given all yet: what is older was removed there, and is not brought back. The oldest first: that is what may go next.
 * Of a place that isn't required it takes no more than what lies between its own: another server may write there alone.
 */
export async function copyHoles(copying: Copying): Promise<void> {
  const { from, to } = copying;
  const first = await from.use(async ({ listing }) => await Promise.resolve(listing));
  const before = await to.use(async ({ listing }) => await Promise.resolve(listing));
  const oldest = (copying.isDueAll?.() ?? false) ? undefined : before.segments[0];
  const missing = (there: Listing, held: Listing): Lacking => {
    const lacking = behind(lackingIn(copying, there, held), oldest);
    return from.required ? lacking : amid(lacking, before);
  };
  if (copying.isListedAnew !== true && isNothing(missing(before, first))) return;
  const [held, there] = await listings(copying);
  const lacking = missing(there, held);
  await assertOneLog(copying, held, there);
  await copyEnds(copying, lacking, held);
  const segments = await Array.fromAsync(within(copying, lacking.segments));
  for (const segment of segments.toReversed()) await copySegment(copying, segment);
}

async function listings({ from, to, signal }: Copying): Promise<readonly [held: Listing, there: Listing]> {
  const held = await from.use(async ({ store }) => await store.list({ signal }));
  return [held, await to.use(async ({ store }) => await store.list({ signal }))];
}

function lackingIn({ from, to, isToCome }: Copying, there: Listing, held: Listing): Lacking {
  const isLeft = (one: Extent): boolean =>
    from.taken.has(one) || to.taken.has(one) || (isToCome?.(one) === true && !from.isOwn(one));
  const notIn = (extents: readonly Extent[]): ((one: Extent) => boolean) => {
    const known = new Set(extents.map(keyOf));
    return (one) => !known.has(keyOf(one)) && !isLeft(one);
  };
  return {
    segments: held.segments.filter(notIn(there.segments)),
    partials: held.partials.filter(notIn(there.partials)),
    histories: held.histories.filter((epoch) => !there.histories.includes(epoch)),
    left: held.left.filter(({ epoch, at }) => !there.left.some((one) => one.epoch === epoch && one.at === at)),
  };
}

function behind({ segments, partials, ...others }: Lacking, oldest: Extent | undefined): Lacking {
  const isBehind = (one: Extent): boolean =>
    oldest === undefined || (one.epoch === oldest.epoch ? one.from > oldest.from : one.epoch > oldest.epoch);
  return { segments: segments.filter(isBehind), partials: partials.filter(isBehind), ...others };
}

function amid({ segments, partials }: Lacking, { segments: own }: Listing): Lacking {
  const isAmid = (one: Extent): boolean => own.some(({ epoch, from }) => epoch === one.epoch && from > one.from);
  return { segments: segments.filter(isAmid), partials: partials.filter(isAmid), histories: [], left: [] };
}

function isNothing({ segments, partials, histories, left }: Lacking): boolean {
  return segments.length + partials.length + histories.length + left.length === 0;
}

/** Where two write one log apart, all is different from there on: the newest that both hold of an epoch tells. */
async function assertOneLog(copying: Copying, held: Listing, there: Listing): Promise<void> {
  const { to } = copying;
  for (const epoch of held.histories.filter((one) => there.histories.includes(one))) {
    const what = `whence timeline ${epoch} comes`;
    const own = await readable(copying, what, async (store) => await store.getHistory(epoch));
    const other = await readable({ ...copying, from: to }, what, async (store) => await store.getHistory(epoch));
    if (own !== undefined && other !== undefined && Buffer.compare(own.bytes, other.bytes) !== 0)
      throw twoLogs(copying, epoch);
  }
  const known = new Set(there.segments.map(keyOf));
  const epochs = new Set(held.segments.filter((one) => !known.has(keyOf(one))).map(({ epoch }) => epoch));
  for (const epoch of epochs) {
    const newest = held.segments.findLast((one) => one.epoch === epoch && known.has(keyOf(one)));
    if (newest === undefined) continue;
    const own = await readable(copying, words(newest), async (store) => await store.about(newest));
    const other = await readable({ ...copying, from: to }, words(newest), async (store) => await store.about(newest));
    if (own === undefined || other === undefined || own.sha256 === other.sha256) continue;
    throw twoLogs(copying, epoch);
  }
}

function twoLogs({ from, to }: Copying, epoch: number): HoldfastError {
  const places = `${from.repository} and ${to.repository}`;
  return new HoldfastError('log-conflict', `${places} hold two logs of timeline ${epoch}`);
}

interface Told {
  readonly extent: Extent;
  readonly about: About | undefined;
}

/** The newest first. Of each epoch for itself: one that was left may have a higher number than the one that goes on. */
async function* within(copying: Copying, extents: readonly Extent[]): AsyncGenerator<Told> {
  const passed = new Set<number>();
  for (const extent of extents.toReversed()) {
    copying.signal.throwIfAborted();
    if (passed.has(extent.epoch)) continue;
    const told = await readable(copying, words(extent), async (store) => ({ about: await store.about(extent) }));
    const times = told?.about?.times;
    if (times !== undefined && times.latestNs < copying.sinceNs) passed.add(extent.epoch);
    else if (told !== undefined) yield { extent, about: told.about };
  }
}

/** undefined where it is damaged, or gone since it was listed: that is no fault of the place, which takes more nevertheless. */
async function readable<T>(
  { from, onUnreadable }: Copying,
  what: string,
  read: (store: LogStore) => Promise<T>,
): Promise<T | undefined> {
  return await from.use(async ({ store }) => {
    try {
      return await read(store);
    } catch (error) {
      if (!hasCode(error, 'damaged', 'storage-not-found')) throw error;
      onUnreadable(what, error);
      return undefined;
    }
  });
}

const words = ({ epoch, from }: Extent): string => `the log from ${lsnText(from)} on of timeline ${epoch}`;

/** Whence epochs come, which were left, and what they ended within. */
async function copyEnds(copying: Copying, lacking: Lacking, { pieces }: Listing): Promise<void> {
  const { to } = copying;
  for (const epoch of lacking.histories) {
    const what = `whence timeline ${epoch} comes`;
    const history = await readable(copying, what, async (store) => await store.getHistory(epoch));
    if (history !== undefined) await to.use(async ({ store }) => await store.putHistory(history));
  }
  for (const left of lacking.left) {
    const what = `that timeline ${left.epoch} was left`;
    const reason = await readable(copying, what, async (store) => await store.leftReason(left));
    if (reason !== undefined) await to.use(async ({ store }) => await store.putLeft(left, reason));
  }
  for (const extent of lacking.partials) {
    for (const piece of pieces.filter(({ segment }) => keyOf(segment) === keyOf(extent))) {
      const part = await readable(copying, words(extent), async (store) => await store.getPiece(piece));
      if (part !== undefined) await to.use(async ({ store }) => await store.putPiece(piece, part));
    }
    const bytes = await readable(copying, words(extent), async (store) => await store.getPartial(extent));
    if (bytes !== undefined) await to.use(async ({ store }) => await store.putPartial(extent, bytes));
  }
}

async function copySegment(copying: Copying, { extent, about }: Told): Promise<void> {
  copying.signal.throwIfAborted();
  const bytes = await readable(copying, words(extent), async (store) => await store.get(extent));
  const noted = { times: about?.times, facts: about?.facts ?? {} };
  if (bytes === undefined) return;
  await copying.to.use(async ({ store }) => await store.put(extent, bytes, noted));
}

import { writeFile } from 'node:fs/promises';
import { HoldfastError } from '../errors/error.ts';
import type { About, Extent, Piece } from '../log/log.ts';
import { openLog } from '../log/store.ts';
import { unionOf } from '../log/union.ts';
import { extentOf, type MomentPlan, type StreamHeld } from '../point/moment.ts';
import { OwnFiles } from '../repository/own-files.ts';
import type { LogFeed, LogReader } from '../source/recovery.ts';
import type { LogDriver, LogPlace } from '../source/log.ts';
import type { ComponentContext } from './component.ts';
import { fromEach } from './from-each.ts';
import { openSource } from './open-source.ts';
import { firstOf, historiesIn, signsIn, type HeldHistories, type HeldPlace } from './held-place.ts';

/** One stream of a component's log in all its places, which stay open until it is disposed of. */
export interface ReadLog extends StreamHeld, HeldHistories, AsyncDisposable {
  /** In the order in which they are read, the nearest first. */
  readonly places: readonly HeldPlace[];
  /** Places that could not be asked: they may hold more. */
  readonly unasked: readonly string[];
  /** What was asked of its segments already. */
  readonly abouts: Map<string, About | undefined>;
  /** By which segments come into files. */
  readonly files: OwnFiles;
}

/** Opens and lists the places of a component's log; each that can't be asked, and what can't be read, is told as a warning. */
export async function openLogs(
  context: ComponentContext,
  component: string,
  stream: string,
  places: readonly LogPlace[],
): Promise<ReadLog> {
  await using closing = new AsyncDisposableStack();
  const byName = new Map(places.map((place) => [place.repository, place]));
  const open = async (repository: string): Promise<HeldPlace> => {
    const opened = await byName.get(repository)?.open();
    if (opened === undefined) throw new HoldfastError('internal', `${repository} is no place of this log`);
    const store = openLog(closing.use(opened), { component, stream });
    return { repository, store, listing: await store.list() };
  };
  const answers = await fromEach([...byName.keys()], open, context);
  const held = answers.flatMap(({ value }) => (value === undefined ? [] : [value]));
  const listing = unionOf(held.map((place) => place.listing));
  const warn = (item: string, message: string): void =>
    context.listener({ kind: 'warning', during: 'restore', item, message });
  const { histories, unread } = await historiesIn(held, listing, {
    signal: context.signal,
    ancestry: ancestryOf(context, component),
    onUnread: (epoch, { message }) =>
      warn(component, `whence timeline ${epoch} of its log comes can’t be read: ${message}`),
  });
  const { signs, failed } = await signsIn(held, listing, context);
  const unasked = [...answers, ...failed].filter(({ error }) => error !== undefined);
  for (const { repository, error } of unasked)
    warn(repository, `what it holds of the log is not known: ${error?.message ?? ''}`);
  const files = closing.use(new OwnFiles());
  const kept = closing.move();
  return {
    ...{ stream, listing, histories, unread, signs },
    places: held,
    abouts: new Map(),
    files,
    unasked: unasked.map(({ repository }) => repository),
    [Symbol.asyncDispose]: async () => await kept.disposeAsync(),
  };
}

function ancestryOf(context: ComponentContext, name: string): LogDriver['ancestry'] {
  const { [name]: component } = context.policy.components;
  return component && openSource(context, name, component).log?.ancestry;
}

/**
 * What a plan replays, read segment by segment out of the nearest place that has it. What an epoch wrote behind the fork
 * of the one that is followed is zeros: a server that finds no file of the newer one would replay it.
 */
export function feedOf(log: ReadLog, plan: MomentPlan): LogFeed {
  const segment: LogFeed['segment'] = async (epoch, from) => {
    const bytes = await bytesAt(log, plan, epoch, from);
    const fork = forkWithin(plan, { epoch, from, to: from + BigInt(bytes?.length ?? 0) });
    return fork === undefined ? bytes : bytes?.slice().fill(0, Number(fork - from));
  };
  return {
    order: plan.parts.map(extentOf),
    segment,
    segmentInto: async (epoch, from, path) => {
      const whole = wholeAt(log, epoch, from);
      if (whole !== undefined && forkWithin(plan, whole) === undefined)
        return await firstOf(holding(log.places, whole), async (place) => await written(log, place, whole, path));
      const bytes = await segment(epoch, from);
      if (bytes !== undefined) await writeFile(path, bytes, { mode: 0o600 });
      return bytes?.length;
    },
    history: async (epoch) => historyFor(log, plan.lineage.epochs[0]?.epoch ?? plan.base.log.epoch, epoch),
  };
}

/** Behind the epoch that is followed the next number is looked for: one that is held is taken, be it unreadable. */
export function historyFor(
  { histories, unread }: HeldHistories,
  followed: number,
  epoch: number,
): Uint8Array | undefined {
  const bytes = histories.find((one) => one.epoch === epoch)?.bytes;
  return bytes ?? (unread.has(epoch) && epoch > followed ? new Uint8Array() : undefined);
}

function wholeAt({ listing }: ReadLog, epoch: number, from: bigint): Extent | undefined {
  return listing.segments.find((one) => isAt(one, epoch, from));
}

async function written({ files }: ReadLog, { store }: HeldPlace, extent: Extent, path: string): Promise<number> {
  return (await store.getInto(extent, path, files)).sizeBytes;
}

async function bytesAt(log: ReadLog, plan: MomentPlan, epoch: number, from: bigint): Promise<Uint8Array | undefined> {
  const { places } = log;
  const extent = wholeAt(log, epoch, from);
  if (extent !== undefined) return await firstOf(holding(places, extent), async ({ store }) => await store.get(extent));
  const part = plan.parts.find((one) => isAt(extentOf(one), epoch, from));
  return part?.held === 'pieces' ? await filled(places, part.segment, part.pieces) : undefined;
}

/** Where the followed epoch, or one that it comes from, leaves this one within an extent. */
function forkWithin({ lineage }: MomentPlan, { epoch, from, to }: Extent): bigint | undefined {
  const fork = lineage.epochs.find((one) => one.epoch === epoch)?.to;
  return fork !== undefined && from < fork && fork < to ? fork : undefined;
}

/** The same, to be asked what is in it. What was asked once is known. */
export function readerOf(log: ReadLog, plan: MomentPlan): LogReader {
  const about: LogReader['about'] = async (extent) =>
    forkWithin(plan, extent) === undefined ? await aboutIn(log, extent) : undefined;
  return { ...feedOf(log, plan), from: plan.base.log.from, about };
}

async function aboutIn({ places, abouts }: ReadLog, extent: Extent): Promise<About | undefined> {
  const key = `${extent.epoch} ${extent.from}`;
  if (abouts.has(key)) return abouts.get(key);
  const from = holding(places, extent);
  const about = from.length === 0 ? undefined : await firstOf(from, async ({ store }) => await store.about(extent));
  abouts.set(key, about);
  return about;
}

const isAt = (extent: Extent, epoch: number, from: bigint): boolean => extent.epoch === epoch && extent.from === from;

function holding(places: readonly HeldPlace[], { epoch, from }: Extent): readonly HeldPlace[] {
  return places.filter(({ listing }) => listing.segments.some((one) => isAt(one, epoch, from)));
}

/** A segment that is still written, out of its pieces, with zeros behind them. */
async function filled(places: readonly HeldPlace[], segment: Extent, pieces: readonly Piece[]): Promise<Uint8Array> {
  const bytes = Buffer.alloc(Number(segment.to - segment.from));
  for (const piece of pieces) {
    const from = places.filter(({ listing }) => listing.pieces.some((one) => isSame(one, piece)));
    bytes.set(await firstOf(from, async ({ store }) => await store.getPiece(piece)), Number(piece.from - segment.from));
  }
  return bytes;
}

function isSame(a: Piece, b: Piece): boolean {
  return isAt(a.segment, b.segment.epoch, b.segment.from) && a.from === b.from && a.to === b.to;
}

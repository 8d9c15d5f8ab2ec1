import { HoldfastError, hasCode } from '../errors/error.ts';
import { lineageOf } from '../log/cover.ts';
import type { History, Listing, LogStore } from '../log/log.ts';
import { noSigns, togetherOf, type Signs } from '../point/living.ts';
import type { LogDriver } from '../source/log.ts';
import { fromEach } from './from-each.ts';
import { heldEpochs, leftIn, signsOf, told } from './signs.ts';

/** A place of a log, and what it listed. */
export interface HeldPlace {
  readonly repository: string;
  readonly store: LogStore;
  readonly listing: Listing;
}

/** Of the epochs of which it is held whence they come: those that can be read anywhere, and why the others can't. */
export interface HeldHistories {
  readonly histories: readonly History[];
  readonly unread: ReadonlyMap<number, HoldfastError>;
}

interface Reading {
  readonly signal: AbortSignal;
  /** What one tells of those it comes from, where the source can say that. */
  readonly ancestry?: LogDriver['ancestry'];
  /** Told of each that can be read nowhere, be it that a later one tells the same. */
  readonly onUnread: (epoch: number, error: HoldfastError) => void;
}

/** One that can't be read, and that none of a later epoch tells, concerns none but the epochs that come through it. */
export async function historiesIn(
  places: readonly HeldPlace[],
  { histories: epochs }: Pick<Listing, 'histories'>,
  { signal, ancestry, onUnread }: Reading,
): Promise<HeldHistories> {
  const unread = new Map<number, HoldfastError>();
  const read = async (epoch: number): Promise<readonly History[]> => {
    try {
      return [await historyOf(places, epoch)];
    } catch (error) {
      if (!(error instanceof HoldfastError) || signal.aborted) throw error;
      unread.set(epoch, error);
      onUnread(epoch, error);
      return [];
    }
  };
  const histories = (await Promise.all(epochs.map(read))).flat();
  for (const one of ancestry === undefined || unread.size === 0 ? [] : histories.flatMap(ancestry))
    if (unread.delete(one.epoch)) histories.push(one);
  return { histories: histories.toSorted((a, b) => a.epoch - b.epoch), unread };
}

/**
 * That an epoch can't be told whence it comes must not have another one followed without a word. Those that are wanted are
 * in the order of preference; without any, nobody knows which it would be.
 */
export function assertFollowable(
  component: string,
  { histories, unread }: HeldHistories,
  { wanted, followed }: { readonly wanted: readonly number[]; readonly followed: number | undefined },
): void {
  const [first] = unread.values();
  if (first === undefined) return;
  for (const epoch of wanted) {
    if (epoch === followed) return;
    if (lineageOf(epoch, histories) === undefined) throw unfollowable(`${component}: timeline ${epoch}`, first);
  }
  if (wanted.length === 0) throw unfollowable(`${component}: the timeline that goes on`, first);
}

function unfollowable(what: string, cause: HoldfastError): HoldfastError {
  return new HoldfastError(cause.code, `${what} can’t be followed, for its history can’t be read: ${cause.message}`, {
    cause,
    next: 'A moment of another timeline is brought back by its number (`--timeline`). Nothing was changed.',
  });
}

async function historyOf(places: readonly HeldPlace[], epoch: number): Promise<History> {
  const holding = places.filter(({ listing }) => listing.histories.includes(epoch));
  return await firstOf(holding, async ({ store }) => await store.getHistory(epoch));
}

interface HeldSigns {
  readonly signs: Signs;
  /** Places that failed while they were asked for theirs, of which none counts: half of them could tell the contrary. */
  readonly failed: readonly { readonly repository: string; readonly error: HoldfastError }[];
}

/** By what the places tell which epoch goes on. Of one epoch alone nobody needs to be asked. */
export async function signsIn(
  places: readonly HeldPlace[],
  all: Listing,
  { signal }: { readonly signal: AbortSignal },
): Promise<HeldSigns> {
  if (heldEpochs(all).size < 2) return { signs: noSigns, failed: [] };
  const byName = new Map(places.map((place) => [place.repository, place]));
  const ask = async (repository: string): Promise<Signs | undefined> => {
    const place = byName.get(repository);
    return place && (await signsOf(place.store, place.listing, await told(async () => await place.store.sighting())));
  };
  const answers = await fromEach([...byName.keys()], ask, { signal });
  const failed = answers.flatMap(({ repository, error }) => (error === undefined ? [] : [{ repository, error }]));
  const askLeft = async (repository: string): Promise<Signs | undefined> => {
    const place = byName.get(repository);
    return place && { ...noSigns, left: await leftIn(place.store, place.listing) };
  };
  const left = await fromEach(
    failed.map(({ repository }) => repository),
    askLeft,
    { signal },
  );
  return { signs: togetherOf([...answers, ...left].flatMap(({ value }) => value ?? [])), failed };
}

/** From the nearest place that has it; from the next where that one fails. */
export async function firstOf<T>(places: readonly HeldPlace[], read: (place: HeldPlace) => Promise<T>): Promise<T> {
  const failures: HoldfastError[] = [];
  for (const place of places) {
    try {
      return await read(place);
    } catch (error) {
      // What can't be written here can't be from another place either.
      if (!(error instanceof HoldfastError) || hasCode(error, 'source-failed')) throw error;
      failures.push(error);
    }
  }
  throw failures.find((error) => !hasCode(error, 'storage-not-found')) ?? failures[0] ?? nowhere();
}

function nowhere(): HoldfastError {
  return new HoldfastError('internal', 'what no place lists was asked for');
}

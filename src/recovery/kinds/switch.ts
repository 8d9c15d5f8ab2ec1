import { readFileSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { HoldfastError } from '../../errors/error.ts';
import { exchangeNames } from '../../host/exchange.ts';
import { errorCode, reasonOf } from '../../host/system-error.ts';
import type { StepKind } from '../../plan/plan.ts';
import { syncFolder } from '../../host/lasting.ts';
import { inodeAt, inodeIn } from './inode.ts';
import { assertSeen, placesOf, type Guard, type Places } from './places.ts';
import { assertNothingMounted, removeOwn } from './removal.ts';

/** Renames; handed in so that a test can stop between two of them. */
export interface Renaming {
  /** False where the file system can't. */
  readonly exchange: (first: string, second: string) => boolean;
  readonly rename: (from: string, to: string) => void;
}

const ofSystem: Renaming = { exchange: exchangeNames, rename: renameSync };

/**
 * Puts what was restored live, and keeps what was live: at once where names can be exchanged, else by two renames, with
 * nothing at the place between them. Which of both is where is told by the inode that the restore marked, so that a
 * kill between any two renames leaves what the next attempt completes, or undoes.
 */
export function switching(guard: Guard, renaming: Renaming = ofSystem): StepKind {
  return {
    isDone: async (call) => {
      const places = placesOf(call);
      return isAt(places.live, markIn(places)) && !isThere(places.restored) ? 'done' : 'not done';
    },
    run: async (call) => {
      const places = placesOf(call);
      await guard(call, places.live);
      await moved(places, () => putLive(places, renaming));
    },
    undo: async (call) => {
      const places = placesOf(call);
      assertSeen(places);
      if (markIn(places) === undefined) return;
      await guard(call, places.live);
      await moved(places, () => putBack(places, renaming));
    },
    confirm: async (call) => {
      const { root, live } = placesOf(call);
      // Gone with what went live in its place: not confirmed by an attempt before, but away.
      if (!isThere(live)) assertSeen({ root, live });
      await removeOwn(root);
      await syncFolder(dirname(live));
    },
  };
}

function putLive(places: Places, { exchange, rename }: Renaming): void {
  const { live, restored, kept } = places;
  const mark = markIn(places);
  assertNothingMounted(live);
  if (mark === undefined) throw new HoldfastError('refused', `nothing was restored for ${live}`);
  if (!isAt(live, mark)) {
    if (!isAt(restored, mark)) throw new HoldfastError('refused', `what was restored for ${live} is gone`);
    if (isThere(live) && !isThere(kept) && exchange(live, restored)) return rename(restored, kept);
    if (isThere(live)) {
      if (isThere(kept)) throw new HoldfastError('refused', `something came to ${live} meanwhile`);
      rename(live, kept);
    }
    return rename(restored, live);
  }
  if (isThere(restored)) rename(restored, kept);
}

function putBack(places: Places, { exchange, rename }: Renaming): void {
  const { live, restored, kept } = places;
  const mark = markIn(places);
  if (isAt(live, mark)) {
    // A kill just after the exchange: what was live lies where the restored one was.
    if (isThere(restored)) return assertExchanged(places, exchange(live, restored));
    if (isThere(kept) && exchange(live, kept)) return rename(kept, restored);
    rename(live, restored);
  }
  if (isAt(kept, mark)) return rename(kept, restored);
  if (isThere(kept)) {
    if (isThere(live)) throw new HoldfastError('refused', `something came to ${live}; what was there is ${kept}`);
    rename(kept, live);
  }
}

function assertExchanged({ live, restored }: Places, isExchanged: boolean): void {
  if (!isExchanged) throw new HoldfastError('refused', `${live} and ${restored} can’t change places`);
}

async function moved(places: Places, move: () => void): Promise<void> {
  try {
    move();
    for (const path of [places.live, places.restored, places.kept]) await syncFolder(dirname(path));
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    throw new HoldfastError('refused', `${places.live} can’t be replaced: ${reasonOf(error)}`, { cause: error });
  }
}

function isThere(path: string): boolean {
  return inodeAt(path) !== undefined;
}

function isAt(path: string, mark: string | undefined): boolean {
  return mark !== undefined && inodeAt(path) === mark;
}

function markIn({ mark }: Places): string | undefined {
  try {
    return inodeIn(readFileSync(mark, 'utf8'));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw new HoldfastError('refused', `${mark} can’t be read: ${reasonOf(error)}`, { cause: error });
  }
}

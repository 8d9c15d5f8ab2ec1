import type { FileId } from '../bytes/ids.ts';
import { HoldfastError } from '../errors/error.ts';
import type { Listener } from '../events/events.ts';
import { TaskGroup } from '../flow/task-group.ts';
import { versionsOf } from '../storage/as-of.ts';
import type { Storage } from '../storage/storage.ts';
import { byObject, unversioned, type VersionInfo, type Versions } from '../storage/versions.ts';
import { ownFolder } from './own-object.ts';
import type { Repository } from './repository.ts';
import { sessionOf } from './session.ts';
import { Proofs } from './undelete/proofs.ts';
import { Survey } from './undelete/survey.ts';

export { executeUndelete, type UndeleteOutcome } from './undelete/execute.ts';

/**
 * What makes a repository again what it was at a time, on a storage that keeps old versions: nothing else is done. No
 * version that holds something is ever removed, so whatever is done can be undone the same way.
 *
 * What was there comes back: by removing the markers above it where nothing else hides it, else by storing its bytes
 * once more. What was not there stays where the repository's key shows that one of its own made it since; all else of
 * the repository's names is hidden, as an ordinary removal does. What is never locked, but for locks, and names that no
 * client gives are left alone.
 */
export interface UndeletePlan {
  readonly timeNs: bigint;
  readonly uncover: readonly Uncovering[];
  readonly store: readonly Storing[];
  readonly hide: readonly Hiding[];
  /** Snapshots made since, which stay: their plaintexts. */
  readonly kept: ReadonlyMap<FileId, Uint8Array>;
  /** Snapshots and indexes made since and hidden since, by whomever: they stay hidden. */
  readonly leftHidden: readonly string[];
  readonly lost: readonly Lost[];
}

export interface Uncovering {
  readonly key: string;
  readonly version: string;
  readonly sizeBytes: number;
  /** Newest first. */
  readonly markers: readonly string[];
}

export interface Storing {
  readonly key: string;
  readonly version: string;
  readonly sizeBytes: number;
  /** Nothing but data: it may go where reading takes hours. */
  readonly rarelyRead: boolean;
}

export interface Hiding {
  readonly key: string;
  /**
   * 'foreign': the key didn't seal it, its name isn't its hash, or it stands where no client puts it. 'removed': it was
   * gone at the time. 'unproven': a key file made since, of which nobody can tell whose it is.
   */
  readonly why: 'foreign' | 'removed' | 'unproven';
}

export interface Lost {
  readonly key: string;
  readonly problem: string;
}

export interface UndeleteOptions {
  readonly timeNs: bigint;
  readonly listener: Listener;
  readonly signal: AbortSignal;
}

/** Indexes come before packs: they say which are needed. */
const places = ['config', 'keys/', 'index/', 'snapshots/', 'locks/', ownFolder, 'data/'];
const judgedAtOnce = 8;

/**
 * Compares what a storage holds with `then`, the same repository opened as of the time. Reads every index file and what
 * came since, of packs the headers; memory grows with what has to be done, not with what is kept.
 */
export async function planUndelete(
  then: Repository,
  storage: Storage,
  { timeNs, listener, signal }: UndeleteOptions,
): Promise<UndeletePlan> {
  const versions = versionsOf(storage);
  const survey = new Survey(new Proofs(versions, sessionOf(then), signal), timeNs);
  let doneItems = 0;
  let remembers = false;
  for (const place of places) {
    await forEachObject(versions, place, signal, async (object) => {
      remembers ||= isRemembered(object);
      await survey.judge(object);
      listener({ kind: 'progress', phase: 'looking at versions', doneBytes: 0, doneItems: ++doneItems });
    });
  }
  if (!remembers) throw forgetful(storage);
  return survey.plan();
}

/** 'unsupported' where a bucket keeps no versions; where it does, `error` is what to tell. */
export async function explainAbsence(storage: Storage, error: HoldfastError): Promise<HoldfastError> {
  const versions = versionsOf(storage);
  for (const place of places.slice(0, 2))
    for await (const version of versions.list(place)) if (isRemembered([version])) return error;
  return forgetful(storage);
}

function isRemembered(object: readonly VersionInfo[]): boolean {
  return object.some(({ version }) => version !== unversioned);
}

function forgetful({ url }: Storage): HoldfastError {
  return new HoldfastError('unsupported', `${url} keeps no old versions: what was written over or removed is gone`);
}

async function forEachObject(
  versions: Versions,
  prefix: string,
  signal: AbortSignal,
  task: (object: readonly [VersionInfo, ...VersionInfo[]]) => Promise<void>,
): Promise<void> {
  await using group = new TaskGroup({ signal });
  const objects = byObject(versions.list(prefix, { signal }));
  for (let n = 0; n < judgedAtOnce; n += 1) {
    group.run(async (alive) => {
      for (let step = await objects.next(); step.done !== true; step = await objects.next()) {
        alive.throwIfAborted();
        await task(step.value);
      }
    });
  }
  await group.wait();
}

/** What it sends to the storage: a removal a marker or object, and three for what is read, stored and asked for. */
export function requestsOf({ uncover, store, hide }: UndeletePlan): number {
  return uncover.reduce((sum, { markers }) => sum + markers.length + 1, 0) + 3 * store.length + hide.length;
}

import type { GetOptions, PutOptions, WaitOptions } from './storage.ts';

/**
 * What a storage offers beyond its contract where it keeps every state that an object had (a versioned bucket), and can
 * lock them (Object Lock).
 *
 * A put makes a new version, and a plain removal a marker that hides the object; neither takes anything away. So
 * `Storage` shows a view, which whoever may write can spoil, while the versions below it stay. A lock belongs to one
 * version and ends at a time. Until then `remove` of that version fails with 'storage-denied'; in compliance mode for
 * everybody, in governance mode for all but an administrator who passes it by. A lock's end can be moved away, and
 * moving it nearer is refused in compliance mode.
 *
 * `list` gives the versions of objects whose key begins with `prefix`, those of one object one after another, newest
 * first, each exactly once, markers among them. Errors are those of `Storage`; a version that does not exist is 'storage-not-found'.
 */
export interface Versions {
  list(prefix: string, options?: VersionListOptions): AsyncIterable<VersionInfo>;
  get(key: string, version: string, options?: GetOptions): Promise<Uint8Array>;
  /** Undefined where the version has no lock, or one that has ended. */
  lockOf(key: string, version: string, options?: WaitOptions): Promise<ObjectLock | undefined>;
  /** Locks a version, or moves the end of its lock. Where the mode is governance, ask for the present lock before. */
  lock(key: string, version: string, lock: ObjectLock, options?: WaitOptions): Promise<void>;
  /** Removes a version, or a marker, for good. */
  remove(key: string, version: string, options?: WaitOptions): Promise<void>;
  /** As `Storage.put`, locked from the first moment; resolves with the version's name. */
  put(key: string, data: readonly Uint8Array[], lock: ObjectLock, options?: PutOptions): Promise<string>;
  /** How what is stored is locked by itself; undefined where it isn't. */
  readonly retention: Retention | undefined;
  /** What this process has stored under `retention`, by key. */
  readonly written: ReadonlyMap<string, WrittenVersion>;
  /** What this process has removed by `Storage.remove` and the storage has only hidden by a marker: keys. */
  readonly hidden: ReadonlySet<string>;
}

export interface VersionListOptions extends WaitOptions {
  /** Goes on behind this key, in the order in which the storage lists. */
  readonly after?: string;
}

/** A version, or (deleted) a marker that hides the object. */
export interface VersionInfo {
  readonly key: string;
  readonly version: string;
  readonly sizeBytes: number;
  /** When it was stored: nanoseconds since 1970, as exact as the storage tells. */
  readonly modifiedNs: bigint;
  readonly latest: boolean;
  readonly deleted: boolean;
  /** Where the storage has a sum: two versions of one object that have the same, and one size, hold the same bytes. */
  readonly sum?: string;
}

/** The name of what a bucket stored while it kept no versions. */
export const unversioned = 'null';

/** 'governance': an administrator can pass it by. */
export type LockMode = 'compliance' | 'governance';

export interface ObjectLock {
  /** Nanoseconds since 1970. */
  readonly untilNs: bigint;
  readonly mode: LockMode;
}

export interface Retention {
  readonly ms: number;
  readonly mode: LockMode;
}

export interface WrittenVersion extends ObjectLock {
  readonly version: string;
}

/** What a writer removes again by itself is never locked, and needs no one else's credentials to be removed. */
export const neverLocked: readonly string[] = [
  'locks/',
  'holdfast/open/',
  'holdfast/leases/',
  'holdfast/prune/',
  'holdfast/conformance/',
];

/** The versions of one object after another, each object's newest first. */
export async function* byObject(
  versions: AsyncIterable<VersionInfo>,
): AsyncGenerator<readonly [VersionInfo, ...VersionInfo[]], void> {
  let group: [VersionInfo, ...VersionInfo[]] | undefined;
  for await (const version of versions) {
    if (group?.[0].key === version.key) {
      group.push(version);
      continue;
    }
    if (group) yield group;
    group = [version];
  }
  if (group) yield group;
}

/** The versions of so many objects from the first on that together have `least` versions. */
export async function* firstObjects(
  versions: AsyncIterable<VersionInfo>,
  least: number,
): AsyncGenerator<VersionInfo, void> {
  let given = 0;
  for await (const object of byObject(versions)) {
    yield* object;
    given += object.length;
    if (given >= least) return;
  }
}

export function isLockable(key: string): boolean {
  return !neverLocked.some((prefix) => key.startsWith(prefix));
}

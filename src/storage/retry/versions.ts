import type { WaitOptions } from '../storage.ts';
import { firstObjects, type VersionInfo, type VersionListOptions, type Versions } from '../versions.ts';
import type { Retrying } from './retrying.ts';

/** `retrying` leaves a call the time that a large object takes. */
export function retryingVersions(inner: Versions, retrying: Retrying): Versions {
  const timed = <T>(what: string, options: WaitOptions = {}, task: (wait: WaitOptions) => Promise<T>): Promise<T> =>
    retrying.one(what, options, task);
  return {
    retention: inner.retention,
    written: inner.written,
    hidden: inner.hidden,
    list: (prefix, options) => listed(inner, retrying, prefix, options),
    get: (key, version, options) =>
      timed(`reading ${key}`, options, (wait) => inner.get(key, version, { ...options, ...wait })),
    lockOf: (key, version, options) =>
      timed(`asking for a lock of ${key}`, options, (wait) => inner.lockOf(key, version, wait)),
    lock: (key, version, lock, options) =>
      timed(`locking ${key}`, options, (wait) => inner.lock(key, version, lock, wait)),
    remove: (key, version, options) => timed(`removing ${key}`, options, (wait) => inner.remove(key, version, wait)),
    put: (key, data, lock, options) =>
      timed(`storing ${key}`, options, (wait) => inner.put(key, data, lock, { ...options, ...wait })),
  };
}

/** Versions that are held before they are given: whole objects, so there may be more. */
const versionsAtOnce = 10_000;

/** A list begun anew goes on behind the last object that was given. */
async function* listed(
  inner: Versions,
  retrying: Retrying,
  prefix: string,
  { after, ...options }: VersionListOptions = {},
): AsyncGenerator<VersionInfo, void> {
  for (let last = after; ;) {
    const from = last === undefined ? {} : { after: last };
    const some = await retrying.all(`listing versions of ${prefix || 'all'}`, options, (wait) =>
      firstObjects(inner.list(prefix, { ...wait, ...from }), versionsAtOnce),
    );
    yield* some;
    last = some.at(-1)?.key;
    if (some.length < versionsAtOnce) return;
  }
}

import { hasCode } from '../../errors/error.ts';
import { limiter } from '../../flow/limiter.ts';
import type { Storage, WaitOptions } from '../storage.ts';
import type { Remains } from '../trial.ts';
import type { VersionInfo } from '../versions.ts';

export const nothingLeft: Remains = { left: [], versions: 0 };

const removalsAtOnce = 8;

/** Removes objects below a prefix for good: by their versions where that is allowed, then whatever is still seen. */
export async function clearBelow(
  storage: Storage,
  prefix: string,
  wanted: (key: string) => boolean,
  wait: WaitOptions,
): Promise<Remains> {
  const before = await removeVersions(storage, prefix, wanted, wait);
  const { left, hidden } = await removeObjects(storage, prefix, wanted, wait);
  // What could only be hidden has its marker now.
  return { ...before, left, versions: before.versions + (before.versions > 0 ? hidden : 0) };
}

export function together(a: Remains, b: Remains): Remains {
  const refusal = a.refusal ?? b.refusal;
  return {
    left: [...a.left, ...b.left],
    versions: a.versions + b.versions,
    ...(refusal !== undefined && { refusal }),
  };
}

async function removeObjects(
  storage: Storage,
  prefix: string,
  wanted: (key: string) => boolean,
  wait: WaitOptions,
): Promise<{ readonly left: readonly string[]; readonly hidden: number }> {
  const found = await Array.fromAsync(storage.list(prefix, wait));
  const keys = found.map(({ key }) => key).filter(wanted);
  const left: string[] = [];
  const limited = limiter(removalsAtOnce);
  const remove = async (key: string): Promise<void> => {
    try {
      await storage.remove(key, wait);
    } catch (error) {
      wait.signal?.throwIfAborted();
      if (!hasCode(error, 'storage-not-found')) left.push(key);
    }
  };
  await Promise.all(keys.map((key) => limited(() => remove(key))));
  return { left, hidden: keys.length - left.length };
}

/** The first refusal ends it: what stands for one stands for thousands. */
async function removeVersions(
  storage: Storage,
  prefix: string,
  wanted: (key: string) => boolean,
  wait: WaitOptions,
): Promise<Remains> {
  const { versions } = storage;
  if (!versions) return nothingLeft;
  let all: readonly VersionInfo[];
  try {
    all = (await Array.fromAsync(versions.list(prefix, wait))).filter(({ key }) => wanted(key));
  } catch (refusal) {
    wait.signal?.throwIfAborted();
    return hasCode(refusal, 'unsupported') ? nothingLeft : { ...nothingLeft, refusal };
  }
  let refusal: unknown;
  let removed = 0;
  const remove = async ({ key, version }: VersionInfo): Promise<void> => {
    if (refusal !== undefined) return;
    try {
      await versions.remove(key, version, wait);
      removed++;
    } catch (error) {
      wait.signal?.throwIfAborted();
      if (hasCode(error, 'storage-not-found')) removed++;
      else refusal ??= error;
    }
  };
  // The oldest first, so that nothing hidden shows in between; one after another, for servers move the one below up.
  const removeAll = async (ofKey: readonly VersionInfo[]): Promise<void> => {
    for (const version of ofKey.toReversed()) await remove(version);
  };
  const limited = limiter(removalsAtOnce);
  const byKey = Map.groupBy(all, ({ key }) => key);
  await Promise.all([...byKey.values()].map((ofKey) => limited(() => removeAll(ofKey))));
  return { left: [], versions: all.length - removed, ...(refusal !== undefined && { refusal }) };
}

import type { Storage, WaitOptions } from '../storage.ts';
import type { Remains } from '../trial.ts';
import { clearBelow, nothingLeft, together } from './clear.ts';
import { isOver, markerOf, parseRunName, trialRoot } from './run-name.ts';

const dayNs = 86_400_000_000_000n;

/**
 * Removes all that a run has stored below its prefix: the marker by which a later run finds it goes last, with the folders
 * that are empty then.
 */
export async function clearRun(storage: Storage, prefix: string, nowNs: bigint, wait: WaitOptions): Promise<Remains> {
  const marker = markerOf(prefix);
  // Nobody writes there any more, so nothing is too young; the storage's clock may be ahead of ours.
  const beforeNs = nowNs + 365n * dayNs;
  const stored = await clearBelow(storage, prefix, (key) => key !== marker, wait);
  const unseen = await clearUnseen(storage, prefix, beforeNs, wait);
  const last = await clearBelow(storage, prefix, (key) => key === marker, wait);
  const folders = await clearUnseen(storage, prefix, beforeNs, wait);
  return [unseen, last, folders].reduce(together, stored);
}

async function clearUnseen(storage: Storage, below: string, beforeNs: bigint, wait: WaitOptions): Promise<Remains> {
  try {
    await storage.removeLeftovers?.(beforeNs, { ...wait, below });
    return nothingLeft;
  } catch (refusal) {
    wait.signal?.throwIfAborted();
    return { ...nothingLeft, refusal };
  }
}

/**
 * Clears up after the runs that are over and didn't. Of one that was killed before its marker was there an object in the
 * making may be left, which nobody sees; it goes after a day.
 */
export async function clearDeadRuns(storage: Storage, nowNs: bigint, wait: WaitOptions): Promise<void> {
  for (const name of await runNames(storage, wait)) {
    const run = parseRunName(name);
    if (run && isOver(run, nowNs)) await clearRun(storage, `${trialRoot}${name}/`, nowNs, wait);
  }
  await clearUnseen(storage, trialRoot, nowNs - dayNs, wait);
}

/** Of all runs that have left something, be it hidden. */
async function runNames(storage: Storage, wait: WaitOptions): Promise<ReadonlySet<string>> {
  const names = new Set<string>();
  const add = ({ key }: { readonly key: string }): void => {
    names.add(key.slice(trialRoot.length).split('/')[0] ?? '');
  };
  for await (const object of storage.list(trialRoot, wait)) add(object);
  if (!storage.versions) return names;
  try {
    for await (const version of storage.versions.list(trialRoot, wait)) add(version);
  } catch {
    wait.signal?.throwIfAborted(); // who may not list versions may not remove them either
  }
  return names;
}

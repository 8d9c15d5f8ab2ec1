import type { Clock } from '../clock/clock.ts';
import { limiter } from '../flow/limiter.ts';
import type { Storage } from '../storage/storage.ts';
import { byObject, isLockable, type VersionInfo, type Versions } from '../storage/versions.ts';

/** What was removed and takes as much room as before: it returns once the old versions themselves are removed. */
export interface HeldBack {
  readonly objects: number;
  readonly bytes: number;
  /** Of these, what nobody can remove yet. */
  readonly locked: { readonly objects: number; readonly bytes: number };
  /** When the last of the locks ends. */
  readonly lockedUntilNs: bigint | undefined;
  /** Of what was removed, what is gone indeed. */
  readonly freedObjects: number;
}

const listedAtOnce = 8;
const locksAskedAtOnce = 10;

/**
 * What this process has removed and the storage keeps: reads the versions of these objects and their locks. Undefined
 * where removals are what they seem. What is never locked comes and goes with every command, and doesn't count.
 */
export async function heldBack(
  { versions }: Storage,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<HeldBack | undefined> {
  const hidden = [...(versions?.hidden ?? [])].filter(isLockable);
  if (!versions || hidden.length === 0) return undefined;
  const kept = await keptBehind(versions, new Set(hidden), signal);
  const ends = await lockEnds(versions, kept, signal);
  const locked = kept.filter((_, n) => (ends[n] ?? 0n) > clock.nowNs());
  const lastNs = ends.reduce((last: bigint, end) => (end !== undefined && end > last ? end : last), 0n);
  const objects = countOf(kept).objects;
  return {
    ...countOf(kept),
    locked: countOf(locked),
    lockedUntilNs: locked.length > 0 ? lastNs : undefined,
    freedObjects: hidden.length - objects,
  };
}

/** The old versions of these objects. */
async function keptBehind(
  versions: Versions,
  hidden: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<readonly VersionInfo[]> {
  const folders = new Set([...hidden].map((key) => key.slice(0, key.lastIndexOf('/') + 1)));
  const limit = limiter(listedAtOnce);
  const within = async (folder: string): Promise<readonly VersionInfo[]> => {
    const kept: VersionInfo[] = [];
    for await (const object of byObject(versions.list(folder, { signal })))
      if (hidden.has(object[0].key) && object[0].deleted) kept.push(...object.filter(({ deleted }) => !deleted));
    return kept;
  };
  return (await Promise.all([...folders].map((folder) => limit(() => within(folder), signal)))).flat();
}

async function lockEnds(
  versions: Versions,
  kept: readonly VersionInfo[],
  signal: AbortSignal,
): Promise<readonly (bigint | undefined)[]> {
  const limit = limiter(locksAskedAtOnce);
  return await Promise.all(
    kept.map(({ key, version }) =>
      limit(async () => (await versions.lockOf(key, version, { signal }))?.untilNs, signal),
    ),
  );
}

function countOf(kept: readonly VersionInfo[]): { readonly objects: number; readonly bytes: number } {
  return {
    objects: new Set(kept.map(({ key }) => key)).size,
    bytes: kept.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
  };
}

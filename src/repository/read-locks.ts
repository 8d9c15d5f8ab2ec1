import { HoldfastError } from '../errors/error.ts';
import { limiter } from '../flow/limiter.ts';
import type { LockMode } from '../storage/versions.ts';
import type { Repository } from './repository.ts';
import { candidatesOf, keysOf, rightVersion, type Needs } from './retain.ts';

export interface ReadLocks {
  /** Until then everything that is locked stays; undefined where nothing is. */
  readonly untilNs: bigint | undefined;
  /** 'governance' where one of them has no stronger lock. */
  readonly mode: LockMode;
  /** Keys that are needed, and whose right version has no lock. */
  readonly unlocked: readonly string[];
}

const atOnce = 10;

/** Asks the storage for the lock of everything that snapshots need, and believes no memory. */
export async function readLocks(repository: Repository, needs: Needs, signal: AbortSignal): Promise<ReadLocks> {
  const { versions, url } = repository.storage;
  if (!versions) throw new HoldfastError('unsupported', `${url} can't lock what it holds`);
  const keys = new Set(await keysOf(repository, needs));
  const limit = limiter(atOnce);
  const wait = { signal };
  const ends = await Promise.all(
    [...(await candidatesOf(versions, keys, signal))].map(([key, candidates]) =>
      limit(async () => {
        const { version } = await rightVersion(versions, key, candidates, wait);
        return { key, lock: await versions.lockOf(key, version, wait) };
      }, signal),
    ),
  );
  return {
    untilNs: ends.reduce<bigint | undefined>((least, { lock }) => earlier(least, lock?.untilNs), undefined),
    mode: ends.some(({ lock }) => lock?.mode === 'governance') ? 'governance' : 'compliance',
    unlocked: ends.filter(({ lock }) => lock === undefined).map(({ key }) => key),
  };
}

function earlier(one: bigint | undefined, other: bigint | undefined): bigint | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return one < other ? one : other;
}

import type { FileId } from '../bytes/ids.ts';
import type { Clock } from '../clock/clock.ts';
import { HoldfastError } from '../errors/error.ts';
import { limiter } from '../flow/limiter.ts';
import { oldestLocked, versionNamed } from '../storage/as-of.ts';
import type { ObjectLock, Retention, VersionInfo, Versions } from '../storage/versions.ts';
import { configKey, keyOf } from './layout.ts';
import type { LockMemory } from './lock-memory.ts';
import type { Repository } from './repository.ts';

/** What a snapshot needs beside config, keys and indexes. */
export interface Needs {
  readonly snapshots: readonly FileId[];
  readonly packs: Iterable<FileId>;
}

export interface RetainOptions {
  readonly clock: Clock;
  /** What is known from earlier runs, and will be for later ones. */
  readonly memory: LockMemory;
  readonly signal: AbortSignal;
}

export interface Retained {
  /** Until then nothing that the snapshots need can be removed. */
  readonly untilNs: bigint;
  /** Versions whose lock was moved. */
  readonly extended: number;
}

/** Locks are moved where less than the wanted time minus this part of it remains: one request a tenth of the time. */
const slackPart = 10n;
const atOnce = 10;

/**
 * Locks everything that snapshots need for the storage's own time: each object by the version whose hash is its name,
 * for `config` the oldest that is locked. Undefined where the storage locks nothing.
 */
export async function retain(
  repository: Repository,
  needs: Needs,
  options: RetainOptions,
): Promise<Retained | undefined> {
  const { versions } = repository.storage;
  if (!versions?.retention) return undefined;
  const run = new Retaining(versions, versions.retention, options);
  return await run.all(await keysOf(repository, needs));
}

/** Config, every key and index, and what is named. */
export async function keysOf(repository: Repository, { snapshots, packs }: Needs): Promise<readonly string[]> {
  const keys = [configKey];
  for (const kind of ['keys', 'index'] as const)
    for await (const { id } of repository.direct().list(kind)) keys.push(keyOf(kind, id));
  for (const id of snapshots) keys.push(keyOf('snapshots', id));
  for (const id of packs) keys.push(keyOf('data', id));
  return keys;
}

class Retaining {
  readonly #versions: Versions;
  readonly #mode: Retention['mode'];
  readonly #memory: LockMemory;
  readonly #signal: AbortSignal;
  readonly #wanted: ObjectLock;
  readonly #enoughNs: bigint;
  #untilNs: bigint;
  #extended = 0;

  constructor(versions: Versions, { ms, mode }: Retention, { clock, memory, signal }: RetainOptions) {
    const wantedNs = BigInt(ms) * 1_000_000n;
    this.#versions = versions;
    this.#mode = mode;
    this.#memory = memory;
    this.#signal = signal;
    this.#wanted = { mode, untilNs: clock.nowNs() + wantedNs };
    this.#enoughNs = this.#wanted.untilNs - wantedNs / slackPart;
    this.#untilNs = this.#wanted.untilNs;
  }

  async all(keys: readonly string[]): Promise<Retained> {
    for (const [key, written] of this.#versions.written) this.#memory.set(key, written);
    const short = new Set(keys.filter((key) => !this.#isEnough(this.#memory.get(key))));
    if (short.size > 0) {
      const limit = limiter(atOnce);
      const found = await candidatesOf(this.#versions, short, this.#signal);
      await Promise.all([...found].map(([key, all]) => limit(() => this.#extend(key, all), this.#signal)));
    }
    return { untilNs: this.#untilNs, extended: this.#extended };
  }

  #isEnough(known: ObjectLock | undefined): boolean {
    if (known?.mode !== this.#mode || known.untilNs < this.#enoughNs) return false;
    if (known.untilNs < this.#untilNs) this.#untilNs = known.untilNs;
    return true;
  }

  async #extend(key: string, candidates: readonly VersionInfo[]): Promise<void> {
    const wait = { signal: this.#signal };
    const { version } = await rightVersion(this.#versions, key, candidates, wait);
    const present = await this.#versions.lockOf(key, version, wait);
    if (present && this.#isEnough(present)) {
      this.#memory.set(key, { ...present, version });
      return;
    }
    // A lock that is longer already, or stronger, is not made shorter.
    const untilNs = present && present.untilNs > this.#wanted.untilNs ? present.untilNs : this.#wanted.untilNs;
    const lock = { mode: present?.mode === 'compliance' ? present.mode : this.#mode, untilNs };
    await this.#versions.lock(key, version, lock, wait);
    this.#memory.set(key, { ...lock, version });
    this.#extended += 1;
  }
}

/** Versions that hold something, newest first, of each key; 'storage-not-found' where one has none. */
export async function candidatesOf(
  versions: Versions,
  keys: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, readonly VersionInfo[]>> {
  const found = new Map<string, VersionInfo[]>();
  for await (const version of versions.list('', { signal })) {
    if (version.deleted || !keys.has(version.key)) continue;
    const known = found.get(version.key);
    if (known) known.push(version);
    else found.set(version.key, [version]);
  }
  const missing = keys.difference(new Set(found.keys()));
  for (const key of missing) throw new HoldfastError('storage-not-found', `there is no version of ${key} to lock`);
  return found;
}

/** The version that the repository stands on: by its hash where the name is one and several are there. */
export async function rightVersion(
  versions: Versions,
  key: string,
  candidates: readonly VersionInfo[],
  wait: { readonly signal: AbortSignal },
): Promise<VersionInfo> {
  const [newest] = candidates;
  if (!newest) throw new HoldfastError('storage-not-found', `there is no version of ${key}`);
  if (candidates.length === 1) return newest;
  if (key === configKey) return (await oldestLocked(versions, candidates, wait)) ?? candidates.at(-1) ?? newest;
  const named = await versionNamed(versions, candidates, wait);
  if (named !== undefined) return named;
  throw new HoldfastError('damaged', `no version of ${key} has the hash that it is named by`);
}

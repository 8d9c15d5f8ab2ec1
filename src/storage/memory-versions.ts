import type { Clock } from '../clock/clock.ts';
import { HoldfastError } from '../errors/error.ts';
import { MemoryStorage } from './memory.ts';
import type { Capabilities, GetOptions, PutOptions, WaitOptions } from './storage.ts';
import {
  isLockable,
  type ObjectLock,
  type Retention,
  type VersionInfo,
  type VersionListOptions,
  type Versions,
} from './versions.ts';

interface Kept extends Omit<VersionInfo, 'latest' | 'key'> {
  readonly bytes: Uint8Array;
  lock?: ObjectLock;
}

/** A storage in memory that keeps every version and honours locks, for tests. */
export class VersionedMemoryStorage extends MemoryStorage {
  override readonly capabilities: Capabilities = {
    ownPrefixes: true,
    conditionalCreate: true,
    lock: true,
    versions: true,
  };
  readonly versions: Versions;
  readonly #clock: Clock;
  /** Newest first. */
  readonly #kept = new Map<string, Kept[]>();
  readonly #hidden = new Set<string>();
  #count = 0;

  constructor(clock: Clock, retention?: Retention) {
    super(new Map(), clock);
    this.#clock = clock;
    this.versions = this.#facet(retention);
  }

  override async put(key: string, data: readonly Uint8Array[], options: PutOptions = {}): Promise<void> {
    await super.put(key, data, options);
    this.#keep(key, Buffer.concat(data));
  }

  override async remove(key: string, options: WaitOptions = {}): Promise<void> {
    await super.remove(key, options);
    this.#keep(key, undefined);
    this.#hidden.add(key);
  }

  #facet(retention: Retention | undefined): Versions {
    return {
      retention,
      written: new Map(),
      hidden: this.#hidden,
      list: (prefix, options) => this.#list(prefix, options),
      get: (key, version, options) => this.#get(key, version, options),
      lockOf: async (key, version) => this.#lockOf(this.#find(key, version)),
      lock: async (key, version, lock) => {
        const kept = this.#find(key, version);
        const present = this.#lockOf(kept);
        if (present?.mode === 'compliance' && lock.untilNs < present.untilNs) throw locked(key);
        kept.lock = lock;
      },
      remove: (key, version) => this.#removeForGood(key, version),
      put: async (key, data, lock, options) => {
        await this.put(key, data, options);
        const [kept] = this.#kept.get(key) ?? [];
        if (!kept) throw new HoldfastError('internal', `${key} was not kept`);
        kept.lock = lock;
        return kept.version;
      },
    };
  }

  #keep(key: string, bytes: Uint8Array | undefined): void {
    const { retention } = this.versions;
    const untilNs = this.#clock.nowNs() + BigInt(retention?.ms ?? 0) * 1_000_000n;
    const kept = {
      version: `v${++this.#count}`,
      bytes: bytes ?? new Uint8Array(),
      sizeBytes: bytes?.length ?? 0,
      modifiedNs: this.#clock.nowNs(),
      deleted: bytes === undefined,
      ...(retention && bytes && isLockable(key) && { lock: { mode: retention.mode, untilNs } }),
    };
    this.#kept.set(key, [kept, ...(this.#kept.get(key) ?? [])]);
  }

  #find(key: string, version: string): Kept {
    const kept = this.#kept.get(key)?.find((one) => one.version === version);
    if (kept) return kept;
    throw new HoldfastError('storage-not-found', `${key} has no version ${version} in memory`);
  }

  #lockOf({ lock }: Kept): ObjectLock | undefined {
    return lock && lock.untilNs > this.#clock.nowNs() ? lock : undefined;
  }

  async *#list(prefix: string, { after = '' }: VersionListOptions = {}): AsyncGenerator<VersionInfo> {
    for (const key of [...this.#kept.keys()].toSorted()) {
      if (!key.startsWith(prefix) || key <= after) continue;
      for (const [n, { version, sizeBytes, modifiedNs, deleted }] of [...(this.#kept.get(key) ?? [])].entries())
        yield { key, version, sizeBytes, modifiedNs, deleted, latest: n === 0 };
    }
  }

  async #get(key: string, version: string, options: GetOptions = {}): Promise<Uint8Array> {
    const { bytes, deleted } = this.#find(key, version);
    if (deleted) throw new HoldfastError('storage-not-found', `version ${version} of ${key} is a marker`);
    return await new MemoryStorage(new Map([[key, bytes]])).get(key, options);
  }

  async #removeForGood(key: string, version: string): Promise<void> {
    const gone = this.#find(key, version);
    if (this.#lockOf(gone)) throw locked(key);
    const left = (this.#kept.get(key) ?? []).filter((one) => one !== gone);
    this.#kept.set(key, left);
    const [latest] = left;
    if (latest && !latest.deleted) await super.put(key, [latest.bytes]);
    else if (!gone.deleted) await super.remove(key).catch(() => undefined); // it was hidden already
  }
}

function locked(key: string): HoldfastError {
  return new HoldfastError('storage-denied', `${key} in memory is locked`);
}

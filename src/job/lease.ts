import { countOf, parseFields, textOf } from '../bytes/fields.ts';
import { parseGoTime } from '../bytes/go-time.ts';
import type { Clock } from '../clock/clock.ts';
import { HoldfastError, hasCode } from '../errors/error.ts';
import { processIsAlive } from '../host/users.ts';
import { listOwnObjects, readOwnObject, removeOwnObject, writeOwnObject } from '../repository/own-object.ts';
import type { Repository } from '../repository/repository.ts';

/**
 * Who runs a rule just now, so that a daemon, a CronJob and a person don't run the same thing at once. A lease is a row of
 * write-once objects `holdfast/leases/<component>/<rule>/<n>`: the newest counts. Taking, renewing and giving back each
 * create the next one, which succeeds for one of several who try.
 *
 * A lease ends by itself: a holder that died is known at once on its own host, elsewhere after `leaseMs`. Before it writes
 * its snapshot a run asks `assertHeld`: one that was taken over meanwhile, as it stood still for too long, writes none.
 * A kill leaves a lease that ends, and objects that the next holder removes.
 */
export interface Lease extends AsyncDisposable {
  /** 'lock-lost' when somebody else took it over. */
  assertHeld(): Promise<void>;
  /** What was to be done is done: given back without it, the lease tells nobody so. */
  markDone(): void;
}

export interface LeaseHolder {
  readonly hostname: string;
  readonly pid: number;
}

export interface LeaseOptions {
  readonly component: string;
  readonly rule: string;
  readonly holder: LeaseHolder;
  readonly clock: Clock;
  /** When it was asked for: whoever began after that has done it already. Nanoseconds since 1970. */
  readonly askedNs: bigint;
}

/** Who has it, or has done what was asked for. */
export interface Taken {
  readonly by: string;
  readonly state: 'running' | 'done';
}

export const leaseMs = 10 * 60_000;
const renewMs = leaseMs / 3;

/** The lease, or who has it. */
export async function takeLease(repository: Repository, options: LeaseOptions): Promise<Lease | Taken> {
  const newest = await newestOf(repository, options);
  const taken = newest && takenBy(newest, options);
  if (taken !== undefined) return taken;
  const held = { ...options, number: (newest?.number ?? 0) + 1, startedNs: options.clock.nowNs() };
  if (await create(repository, held, 'held')) return new HeldLease(repository, held);
  return { by: 'another process', state: 'running' };
}

function takenBy({ state, untilNs, startedNs, hostname, pid }: Found, options: LeaseOptions): Taken | undefined {
  const by = `process ${pid} on ${hostname}`;
  if (state === 'released') return undefined;
  // A clock that goes ahead must not keep anybody from a backup: its future is no time at which something was done.
  if (state === 'done') {
    const isSince = startedNs >= options.askedNs && startedNs <= options.clock.nowNs();
    return isSince ? { by, state: 'done' } : undefined;
  }
  const isOver = untilNs <= options.clock.nowNs();
  const isDead = hostname === options.holder.hostname && !processIsAlive(pid);
  return isOver || isDead ? undefined : { by, state: 'running' };
}

interface Found extends LeaseHolder {
  readonly number: number;
  readonly state: 'held' | 'released' | 'done';
  readonly untilNs: bigint;
  readonly startedNs: bigint;
}

type Held = LeaseOptions & { number: number; readonly startedNs: bigint };

class HeldLease implements Lease {
  readonly #repository: Repository;
  readonly #held: Held;
  readonly #ended = new AbortController();
  readonly #renewing: Promise<void>;
  #lost: HoldfastError | undefined;
  #end: 'released' | 'done' = 'released';

  constructor(repository: Repository, held: Held) {
    this.#repository = repository;
    this.#held = held;
    this.#renewing = this.#renew();
  }

  async assertHeld(): Promise<void> {
    if (this.#lost !== undefined) throw this.#lost;
    const newest = await newestOf(this.#repository, this.#held);
    if (newest?.number !== this.#held.number) throw lost(this.#held);
  }

  markDone(): void {
    this.#end = 'done';
  }

  async #renew(): Promise<void> {
    const { signal } = this.#ended;
    try {
      for (;;) {
        await this.#held.clock.sleep(renewMs, signal);
        await this.#next('held');
      }
    } catch (error) {
      if (signal.aborted) return;
      this.#lost = error instanceof HoldfastError ? error : lost(this.#held);
    }
  }

  /** The number moves first: a create that was cut off may have had its effect. */
  async #next(state: Found['state']): Promise<void> {
    const { number } = this.#held;
    this.#held.number = number + 1;
    if (!(await create(this.#repository, this.#held, state))) throw lost(this.#held);
    await remove(this.#repository, keyOf(this.#held, number));
  }

  /** What can't be given back ends by itself. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort(new HoldfastError('interrupted', 'the lease ends'));
    await this.#renewing;
    if (this.#lost !== undefined) return;
    try {
      await this.#next(this.#end);
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
    }
  }
}

function lost({ component, rule }: LeaseOptions): HoldfastError {
  return new HoldfastError('lock-lost', `another process runs the rule ${rule} of ${component} by now`);
}

function folderOf({ component, rule }: LeaseOptions): string {
  return `holdfast/leases/${component}/${rule}/`;
}

function keyOf(options: LeaseOptions, number: number): string {
  return `${folderOf(options)}${String(number).padStart(10, '0')}`;
}

async function create(repository: Repository, held: Held, state: Found['state']): Promise<boolean> {
  const { holder, clock, number, startedNs } = held;
  const name = keyOf(held, number);
  const iso = (ns: bigint): string => Temporal.Instant.fromEpochNanoseconds(ns).toString();
  const until = iso(clock.nowNs() + BigInt(leaseMs) * 1_000_000n);
  const json = JSON.stringify({ version: 1, name, state, ...holder, started: iso(startedNs), until });
  try {
    await writeOwnObject(repository, name, Buffer.from(json));
    return true;
  } catch (error) {
    if (hasCode(error, 'storage-exists')) return false;
    throw error;
  }
}

/** Removes older ones on its way: they mean nothing any more. */
async function newestOf(repository: Repository, options: LeaseOptions): Promise<Found | undefined> {
  const names = (await listOwnObjects(repository, folderOf(options))).map(({ key }) => key);
  const name = names.at(-1);
  if (name === undefined) return undefined;
  for (const older of names.slice(0, -1)) await remove(repository, older);
  const fields = parseFields(await readOwnObject(repository, name), name);
  if (fields['name'] !== name) throw new HoldfastError('damaged', `${name} holds the content of another object`);
  return {
    number: Number(name.slice(folderOf(options).length)),
    state: states.find((one) => one === fields['state']) ?? 'held',
    hostname: textOf(fields['hostname'], name),
    pid: countOf(fields['pid'], 2 ** 32, name),
    untilNs: parseGoTime(textOf(fields['until'], name)),
    startedNs: parseGoTime(textOf(fields['started'], name)),
  };
}

const states = ['held', 'released', 'done'] as const;

async function remove(repository: Repository, name: string): Promise<void> {
  try {
    await removeOwnObject(repository, name);
  } catch (error) {
    if (!hasCode(error, 'storage-not-found', 'storage-denied')) throw error;
  }
}

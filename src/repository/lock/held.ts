import type { FileId } from '../../bytes/ids.ts';
import { HoldfastError } from '../../errors/error.ts';
import type { Listener } from '../../events/events.ts';
import { withDeadline } from '../../flow/abort.ts';
import { onHangUp } from '../../host/hang-up.ts';
import { removeLock, settleMs, writeLock, type Wanted } from './acquire.ts';
import type { LockFile } from './lock-file.ts';

/** Short, because timers stand still while a machine is suspended and the lock must not. */
const pollMs = 1_000;
const refreshMs = 5 * 60_000;
/** After a refresh that failed. */
const retryMs = 60_000;
/** A refresh that takes longer has failed. */
const refreshLimitMs = 60_000;
/** The lock is stale to others after 30 minutes; earlier by a margin for clocks that differ. */
const expiryMs = 22.5 * 60_000;

/**
 * A lock that is held: refreshed until it is released. When refreshing failed for too long (or the machine was
 * suspended), writes are held until it is certain that nobody removed the lock meanwhile; otherwise the lock is
 * lost, `signal` aborts, and no write gets through any more.
 */
export class HeldLock {
  readonly #wanted: Wanted;
  readonly #listener: Listener;
  readonly #lost = new AbortController();
  readonly #released = new AbortController();
  readonly #keeping: Promise<void>;
  /** Whoever wants to end with the terminal listens for it on its own. */
  readonly #surviving = onHangUp(() => undefined);
  #lock: LockFile;
  #lastMonotonicMs: number;
  #nextTryMs = refreshMs;
  #gone = false;

  constructor(wanted: Wanted, lock: LockFile, listener: Listener) {
    this.#wanted = wanted;
    this.#listener = listener;
    this.#lock = lock;
    this.#lastMonotonicMs = wanted.clock.monotonicMs();
    // After a suspension a write may come before this looks at the lock again.
    wanted.repository.writeGate.watch(() => !this.#released.signal.aborted && this.#ageMs() >= expiryMs);
    this.#keeping = this.#keep();
  }

  get id(): FileId {
    return this.#lock.id;
  }

  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  async release(): Promise<void> {
    this.#released.abort(new Error('the lock was released'));
    await this.#keeping;
    if (!this.signal.aborted) this.#wanted.repository.writeGate.release();
    this.#gone = true;
    using _surviving = this.#surviving;
    try {
      await removeLock(this.#wanted.repository, this.#lock.id);
    } catch (error) {
      this.#warn(`the lock could not be removed; it blocks others for up to 30 minutes: ${messageOf(error)}`);
    }
  }

  async #keep(): Promise<void> {
    while (await this.#pause()) {
      const ageMs = this.#ageMs();
      if (ageMs >= expiryMs) await this.#recover();
      else if (ageMs >= this.#nextTryMs) await this.#refresh(ageMs);
      if (this.signal.aborted) return;
    }
  }

  /** False once the lock is released. */
  async #pause(): Promise<boolean> {
    try {
      await this.#wanted.clock.sleep(pollMs, this.#released.signal);
      return true;
    } catch (error) {
      if (this.#released.signal.aborted) return false;
      throw error;
    }
  }

  /** By whichever clock says more: one stands still while suspended, the other may be set back. */
  #ageMs(): number {
    const { clock } = this.#wanted;
    return Math.max(clock.monotonicMs() - this.#lastMonotonicMs, Number(clock.nowNs() - this.#lock.timeNs) / 1e6);
  }

  async #refresh(ageMs: number): Promise<void> {
    try {
      await this.#bounded(async () => this.#adopt(await this.#writeNew()));
      this.#nextTryMs = refreshMs;
    } catch (error) {
      this.#nextTryMs = ageMs + retryMs;
      this.#warn(`the lock could not be refreshed, trying again: ${messageOf(error)}`);
    }
  }

  async #recover(): Promise<void> {
    const { writeGate } = this.#wanted.repository;
    writeGate.hold();
    try {
      await this.#bounded(() => this.#refreshExpired());
      this.#nextTryMs = refreshMs;
      writeGate.release();
    } catch (cause) {
      const lost = new HoldfastError('lock-lost', `the lock was lost: ${messageOf(cause)}`, { cause });
      writeGate.shut(lost);
      this.#lost.abort(lost);
    }
  }

  /** Who waits for an exclusive lock may have removed ours as stale: then it is gone now, or after the new one is seen. */
  async #refreshExpired(): Promise<void> {
    await this.#assertExists();
    const lock = await this.#writeNew();
    try {
      await this.#wanted.clock.sleep(settleMs);
      await this.#assertExists();
    } catch (error) {
      await removeLock(this.#wanted.repository, lock.id);
      throw error;
    }
    await this.#adopt(lock);
  }

  async #assertExists(): Promise<void> {
    for await (const { id } of this.#wanted.repository.list('locks')) if (id === this.#lock.id) return;
    throw new Error('its file was removed by somebody else');
  }

  async #writeNew(): Promise<LockFile> {
    return writeLock(this.#wanted);
  }

  /** Also reached late, by a refresh that was given up as too slow. */
  async #adopt(lock: LockFile): Promise<void> {
    if (this.#gone) return removeLock(this.#wanted.repository, lock.id);
    const { id: old } = this.#lock;
    this.#lock = lock;
    this.#lastMonotonicMs = this.#wanted.clock.monotonicMs();
    await removeLock(this.#wanted.repository, old);
  }

  async #bounded(task: () => Promise<void>): Promise<void> {
    const error = (): Error => new HoldfastError('storage-timeout', 'the storage did not answer within a minute');
    await withDeadline({ ms: refreshLimitMs, clock: this.#wanted.clock, error }, task);
  }

  #warn(message: string): void {
    this.#listener({ kind: 'warning', during: 'lock', item: this.#lock.id, message });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

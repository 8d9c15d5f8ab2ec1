import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { hasCode } from '../../../errors/error.ts';
import { orAborted } from '../../../flow/abort.ts';
import type { ArchiveWork } from '../../log.ts';
import type { Spool } from './spool.ts';

export interface ForcedBaseOptions {
  readonly work: Pick<ArchiveWork, 'baseBackups' | 'component' | 'dataDirectory' | 'clock' | 'listener'>;
  readonly spool: Pick<Spool, 'notes' | 'baseLog'>;
  /** Of the log whose worker it is. */
  readonly stream: string;
  /** Of the worker: nothing is asked or started any more once it is aborted. */
  readonly signal: AbortSignal;
}

/** One that was started last, until it is known whether it was made. */
interface Attempt {
  readonly atNs: bigint;
  readonly atMs: number;
  /** How often it had come to be owed by then: what was dropped since may stand behind where it began. */
  readonly times: number;
  readonly isRunning: () => boolean;
}

/** After an attempt that came to nothing, doubled after each further one. */
const [firstPauseMs, longestPauseMs] = [60_000, 15 * 60_000] as const;

/**
 * The base backup from which on the log is of use again behind what was dropped. It is owed by a note in the spool, made before
 * the gap is told in any place, and paid once none is due by what the places and the points tell, whoever made it. Till then it is
 * made by a process of its own, one at a time, which a kill of the worker leaves at work: another that is started meanwhile by the
 * next worker finds that its rule is being run, and ends. Nothing here fails a worker: the log goes on.
 */
export class ForcedBase {
  readonly #options: ForcedBaseOptions;
  #isOwed: boolean;
  /** How often it came to be owed: what was found out before the last time is too old. */
  #times = 0;
  #step: Promise<void> | undefined;
  #attempt: Attempt | undefined;
  #pauseMs = 0;
  #notBeforeMs = 0;
  /** It is asked whether one is due before that, and none is started. */
  #restsUntilMs = 0;
  #isStopTold = false;

  constructor(options: ForcedBaseOptions) {
    this.#options = options;
    this.#isOwed = options.work.baseBackups !== undefined && options.spool.notes.isBaseDue();
  }

  /** The worker stays for it, but for no server that is stopped: the first push of that starts another. */
  get isBusy(): boolean {
    return this.#isOwed && this.#doesServerRun();
  }

  /** Lasting when it resolves, as far as the spool takes a name. */
  async owe(): Promise<void> {
    if (this.#options.work.baseBackups === undefined) return;
    this.#isOwed = true;
    this.#times++;
    try {
      await this.#options.spool.notes.addBaseDue();
    } catch (error) {
      if (!hasCode(error, 'storage-full')) throw error;
      this.#warn(`a worker that is started anew makes no base backup by itself: ${error.message}`);
    }
  }

  /** Goes on with it, where it is time. */
  look(): void {
    const { clock } = this.#options.work;
    if (!this.#isOwed || this.#step !== undefined || clock.monotonicMs() < this.#notBeforeMs) return;
    this.#options.spool.baseLog.bound();
    if (this.#attempt?.isRunning() || this.#isStopped()) return;
    this.#step = this.#goOn().finally(() => (this.#step = undefined));
  }

  async ended(): Promise<void> {
    await this.#step;
  }

  /** Never rejects. */
  async #goOn(): Promise<void> {
    const { work, stream, signal } = this.#options;
    const attempt = this.#attempt;
    const times = attempt?.times ?? this.#times;
    try {
      const isDue = await orAborted(work.baseBackups?.isDue(attempt?.atNs, stream) ?? Promise.resolve(false), signal);
      signal.throwIfAborted();
      this.#attempt = undefined;
      if (!isDue) this.#pay(times, attempt);
      else if (attempt !== undefined) this.#later(`none was made${this.#said()}`);
      else if (work.clock.monotonicMs() < this.#restsUntilMs) this.#notBeforeMs = this.#restsUntilMs;
      else this.#start();
    } catch (error) {
      if (!signal.aborted) this.#later(error instanceof Error ? error.message : String(error));
    }
  }

  #start(): void {
    const { work, spool } = this.#options;
    const { baseBackups, component, listener, clock } = work;
    const begun = { atNs: clock.nowNs(), atMs: clock.monotonicMs(), times: this.#times };
    this.#attempt = baseBackups && { ...begun, isRunning: spool.baseLog.of(baseBackups.start).isRunning };
    const rule = baseBackups?.rule;
    this.#warn(`a base backup by the rule ${rule} is started, because log was dropped; see ${spool.baseLog.path}`);
    listener({ kind: 'note', name: 'base-backup-started', data: { component, rule } });
  }

  #pay(times: number, made: Attempt | undefined): void {
    const nowMs = this.#options.work.clock.monotonicMs();
    [this.#pauseMs, this.#notBeforeMs] = [0, 0];
    if (made !== undefined) this.#restsUntilMs = nowMs + restMs(nowMs - made.atMs);
    if (times !== this.#times) return;
    this.#options.spool.notes.forgetBaseDue();
    this.#isOwed = false;
  }

  #later(reason: string): void {
    this.#pauseMs = Math.min(longestPauseMs, this.#pauseMs * 2 || firstPauseMs);
    this.#notBeforeMs = this.#options.work.clock.monotonicMs() + this.#pauseMs;
    this.#warn(
      `a base backup is due, because log was dropped, and is tried again in ${this.#pauseMs / 60_000} min: ${reason}`,
    );
  }

  #isStopped(): boolean {
    if (this.#doesServerRun()) return (this.#isStopTold = false);
    if (!this.#isStopTold)
      this.#warn('a base backup is due, because log was dropped, and is made once the server runs');
    return (this.#isStopTold = true);
  }

  #doesServerRun(): boolean {
    return existsSync(join(this.#options.work.dataDirectory, 'postmaster.pid'));
  }

  #said(): string {
    const words = this.#options.spool.baseLog.lastWords();
    return words === '' ? '' : `; it last said: ${words}`;
  }

  #warn(message: string): void {
    const { listener, component } = this.#options.work;
    listener({ kind: 'warning', during: 'log', item: component, message });
  }
}

/** Behind one that was made, as long as it took: where it is what makes the log too slow, that gets its turn before the next. */
function restMs(tookMs: number): number {
  return Math.min(longestPauseMs, Math.max(firstPauseMs, tookMs));
}

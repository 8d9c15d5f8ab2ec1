import { limiter, type Limiter } from './limiter.ts';

export interface TaskGroupOptions {
  /** Aborting it cancels the group. */
  readonly signal?: AbortSignal | undefined;
  /** How many tasks run at a time; all at once without it. */
  readonly limit?: number;
}

/**
 * Tasks that live and fail together. The first failure aborts `signal` with that error as its reason; every task
 * should heed it. Nothing outlives the group: `wait` and disposal both return after the last task ended.
 *
 * Leave through `wait`, which throws the first error. Disposal without it (an exception is on its way already) only
 * cancels; so `await using group = new TaskGroup()` never hides the exception.
 */
export class TaskGroup implements AsyncDisposable {
  /** Aborted by the first failure, by `cancel` and by the caller's signal. */
  readonly signal: AbortSignal;
  readonly #controller = new AbortController();
  readonly #tasks = new Set<Promise<void>>();
  readonly #errors: unknown[] = [];
  readonly #limited: Limiter | undefined;

  constructor(options: TaskGroupOptions = {}) {
    const own = this.#controller.signal;
    this.signal = options.signal ? AbortSignal.any([options.signal, own]) : own;
    this.#limited = options.limit === undefined ? undefined : limiter(options.limit);
  }

  /** Failures in the order they came, without those that only report the cancelling. */
  get errors(): readonly unknown[] {
    return this.#errors;
  }

  /** Starts a task, or queues it where a limit is set. */
  run(task: (signal: AbortSignal) => Promise<void>): void {
    const guarded = this.#guard(task).finally(() => this.#tasks.delete(guarded));
    this.#tasks.add(guarded);
  }

  /** Ends the tasks that heed `signal`; `wait` then throws `reason` unless something failed before. */
  cancel(reason: Error): void {
    this.#controller.abort(reason);
  }

  /** Waits for every task, those started meanwhile included; throws the first error, or the reason of the abort. */
  async wait(): Promise<void> {
    await this.#settle();
    if (this.#errors.length > 0) throw this.#errors[0];
    this.signal.throwIfAborted();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#controller.abort(new Error('the task group was left'));
    await this.#settle();
  }

  async #guard(task: (signal: AbortSignal) => Promise<void>): Promise<void> {
    try {
      const start = async (): Promise<void> => {
        this.signal.throwIfAborted();
        await task(this.signal);
      };
      await (this.#limited ? this.#limited(start, this.signal) : start());
    } catch (error) {
      if (this.signal.aborted && error === this.signal.reason) return;
      this.#errors.push(error);
      this.#controller.abort(error);
    }
  }

  async #settle(): Promise<void> {
    while (this.#tasks.size > 0) await Promise.all(this.#tasks);
  }
}

import type { HoldfastError } from '../../errors/error.ts';
import { startWorker, type WorkerThread } from '../../host/worker.ts';

export interface CrewOptions<Request, Reply> {
  readonly entry: URL;
  /** For people, in errors. */
  readonly name: string;
  readonly workers: number;
  /** Every worker's first request; it has no reply. */
  readonly setUp: Request;
  /** Called with each reply before the promise of its request resolves. */
  readonly onReply: (reply: Reply) => void;
  /** A worker has nothing to do, or will never do anything again. */
  readonly onIdle: () => void;
  /** A worker ended by itself: every request has failed, and so will each further one. */
  readonly onFailure: (error: Error) => void;
}

interface RunOptions {
  /** An 'urgent' request is taken before all others that wait. */
  readonly urgency?: 'urgent';
  /** What is handed over and can't be used here any more. */
  readonly transfer?: readonly ArrayBuffer[];
}

interface Job<Request, Reply> {
  readonly request: Request;
  readonly transfer: readonly ArrayBuffer[];
  readonly done: PromiseWithResolvers<Reply>;
}

interface Member<Request, Reply> {
  readonly thread: WorkerThread<Request>;
  /** Answered in this order. */
  readonly jobs: Job<Request, Reply>[];
}

/** A worker always has its next request at hand, so that it never waits for the main thread. */
const jobsPerWorker = 2;

/** Workers that take requests from one queue. */
export class Crew<Request, Reply> implements AsyncDisposable {
  readonly #options: CrewOptions<Request, Reply>;
  readonly #members: readonly Member<Request, Reply>[];
  readonly #urgent: Job<Request, Reply>[] = [];
  readonly #queue: Job<Request, Reply>[] = [];
  #failure: Error | undefined;
  #state: 'working' | 'held' = 'working';

  constructor(options: CrewOptions<Request, Reply>) {
    this.#options = options;
    this.#members = Array.from({ length: options.workers }, () => this.#start());
  }

  /** Requests that no worker has taken yet. */
  get waiting(): number {
    return this.#urgent.length + this.#queue.length;
  }

  /** Some worker has nothing to do. */
  get isIdle(): boolean {
    return this.#members.some(({ jobs }) => jobs.length === 0);
  }

  get workers(): number {
    return this.#members.length;
  }

  async run(request: Request, { urgency, transfer = [] }: RunOptions = {}): Promise<Reply> {
    if (this.#failure) throw this.#failure;
    const job = { request, transfer, done: Promise.withResolvers<Reply>() };
    (urgency === 'urgent' ? this.#urgent : this.#queue).push(job);
    this.#handOut();
    return job.done.promise;
  }

  /** No request is handed out until `resume`. */
  hold(): void {
    this.#state = 'held';
  }

  resume(): void {
    this.#state = 'working';
    this.#handOut();
  }

  /** Fails everything that runs or waits. */
  fail(error: Error): void {
    if (this.#failure) return;
    this.#failure = error;
    for (const { done } of [...this.#members.flatMap(({ jobs }) => jobs), ...this.#urgent, ...this.#queue]) {
      done.reject(error);
    }
    for (const { jobs } of this.#members) jobs.length = 0;
    this.#urgent.length = 0;
    this.#queue.length = 0;
    this.#options.onFailure(error);
    this.#options.onIdle();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#members.map(({ thread }) => thread[Symbol.asyncDispose]()));
  }

  #start(): Member<Request, Reply> {
    const jobs: Job<Request, Reply>[] = [];
    const thread = startWorker<Request, Reply>(this.#options.entry, {
      name: this.#options.name,
      onReply: (reply) => this.#finish(jobs, reply),
      onFailure: (error: HoldfastError) => this.fail(error),
    });
    thread.post(this.#options.setUp);
    return { thread, jobs };
  }

  #finish(jobs: Job<Request, Reply>[], reply: Reply): void {
    const job = jobs.shift();
    if (!job) return;
    this.#options.onReply(reply);
    job.done.resolve(reply);
    this.#handOut();
    if (jobs.length === 0) this.#options.onIdle();
  }

  #handOut(): void {
    while (this.#state === 'working' && this.waiting > 0) {
      const member = this.#leastBusy();
      if (!member) return;
      const job = this.#urgent.shift() ?? this.#queue.shift();
      if (!job) return;
      member.jobs.push(job);
      member.thread.post(job.request, job.transfer);
    }
  }

  #leastBusy(): Member<Request, Reply> | undefined {
    const [first, ...others] = this.#members;
    if (!first) return undefined;
    const member = others.reduce((least, other) => (other.jobs.length < least.jobs.length ? other : least), first);
    return member.jobs.length < jobsPerWorker ? member : undefined;
  }
}

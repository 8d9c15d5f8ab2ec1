import type { HoldfastError } from '../errors/error.ts';
import { startWorker, type WorkerThread } from './worker.ts';

export interface CrewOptions<Request, Reply, Extra> {
  readonly entry: URL;
  /** For people, in errors. */
  readonly name: string;
  readonly workers: number;
  /** Every worker's first request; it has no reply. */
  readonly setUp: Request;
  /** Tells replies from what else workers send. */
  readonly isReply: (message: Reply | Extra) => message is Reply;
  /** Called with each message, with a reply before the promise of its request resolves. */
  readonly onMessage: (message: Reply | Extra) => void;
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
export class Crew<Request, Reply, Extra = never> implements AsyncDisposable {
  readonly #options: CrewOptions<Request, Reply, Extra>;
  /** Started once all that are there have something to do: what is unchanged needs none, and what is little one. */
  readonly #members: Member<Request, Reply>[] = [];
  readonly #urgent: Job<Request, Reply>[] = [];
  readonly #queue: Job<Request, Reply>[] = [];
  #failure: Error | undefined;
  #state: 'working' | 'held' = 'working';

  constructor(options: CrewOptions<Request, Reply, Extra>) {
    this.#options = options;
  }

  /** Requests that no worker has taken yet. */
  get waiting(): number {
    return this.#urgent.length + this.#queue.length;
  }

  /** Some worker has nothing to do. */
  get isIdle(): boolean {
    return this.#members.length < this.workers || this.#members.some(({ jobs }) => jobs.length === 0);
  }

  get workers(): number {
    return this.#options.workers;
  }

  /** Starts what would be started with the first requests. */
  start(): void {
    while (this.#failure === undefined && this.#members.length < this.workers) this.#another();
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

  /** Fails everything that waits, and what runs as soon as its thread has ended: what it was lent is free then. */
  fail(error: Error): void {
    if (this.#failure) return;
    this.#failure = error;
    for (const { done } of [...this.#urgent, ...this.#queue]) done.reject(error);
    for (const member of this.#members) void this.#end(member, error);
    this.#urgent.length = 0;
    this.#queue.length = 0;
    this.#options.onFailure(error);
    this.#options.onIdle();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#members.map(({ thread }) => thread[Symbol.asyncDispose]()));
  }

  async #end({ thread, jobs }: Member<Request, Reply>, error: Error): Promise<void> {
    const running = jobs.splice(0);
    try {
      await thread[Symbol.asyncDispose]();
    } finally {
      for (const { done } of running) done.reject(error);
    }
  }

  #born(): Member<Request, Reply> {
    const jobs: Job<Request, Reply>[] = [];
    const thread = startWorker<Request, Reply | Extra>(this.#options.entry, {
      name: this.#options.name,
      onMessage: (message) => this.#receive(jobs, message),
      onFailure: (error: HoldfastError) => this.fail(error),
    });
    thread.post(this.#options.setUp);
    return { thread, jobs };
  }

  #receive(jobs: Job<Request, Reply>[], message: Reply | Extra): void {
    this.#options.onMessage(message);
    if (!this.#options.isReply(message)) return;
    jobs.shift()?.done.resolve(message);
    this.#handOut();
    if (jobs.length === 0) this.#options.onIdle();
  }

  #handOut(): void {
    while (this.#state === 'working' && this.waiting > 0) {
      const member = this.#free();
      if (!member) return;
      const job = this.#urgent.shift() ?? this.#queue.shift();
      if (!job) return;
      member.jobs.push(job);
      member.thread.post(job.request, job.transfer);
    }
  }

  #free(): Member<Request, Reply> | undefined {
    const leastBusy = this.#members.toSorted((a, b) => a.jobs.length - b.jobs.length).at(0);
    if (leastBusy?.jobs.length === 0) return leastBusy;
    if (this.#members.length < this.workers) return this.#another();
    return leastBusy !== undefined && leastBusy.jobs.length < jobsPerWorker ? leastBusy : undefined;
  }

  #another(): Member<Request, Reply> {
    const member = this.#born();
    this.#members.push(member);
    return member;
  }
}

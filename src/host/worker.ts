import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import { parentPort, Worker, workerData, type Transferable } from 'node:worker_threads';
import { systemClock } from '../clock/clock.ts';
import { HoldfastError } from '../errors/error.ts';

/**
 * The one file that starts threads. A worker is this same program with another entry file: `entry` is resolved by the
 * caller against its own `import.meta.url`, so that checkout and package work alike.
 */
export interface WorkerThread<Request> extends AsyncDisposable {
  post(request: Request, transfer?: readonly Transferable[]): void;
  /**
   * Lets the worker finish what it does, and no more; resolves when it has ended. Until then its messages still come:
   * it may be waiting for what they give back.
   */
  [Symbol.asyncDispose](): Promise<void>;
}

export interface WorkerOptions<Message> {
  /** For people, in errors. */
  readonly name: string;
  readonly onMessage: (message: Message) => void;
  /** The worker ended by itself, for a defect or for want of memory: called once, and no message comes after it. */
  readonly onFailure: (error: HoldfastError) => void;
}

/** Said after the last request. */
const end = 'end';
/** A file may be read, or a large chunk pressed at the highest level, for so long; what goes on longer is broken off. */
const longestLastJobMs = 5000;

/** What a worker is told when it is made. */
interface Birth {
  /** One word: 1 once no request is to be begun. */
  readonly ending: SharedArrayBuffer;
}

/** Small heaps: what a worker handles stands in buffers outside of them. */
const limits = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 256 };

export function startWorker<Request, Message>(entry: URL, options: WorkerOptions<Message>): WorkerThread<Request> {
  const ending = new SharedArrayBuffer(4);
  const birth: Birth = { ending };
  const worker = new Worker(entry, {
    ...{ name: options.name, resourceLimits: limits, env: workerEnvironment() },
    workerData: birth,
  });
  let state: 'running' | 'ending' | 'failed' = 'running';
  const fail = (cause: unknown): void => {
    if (state !== 'running') return;
    state = 'failed';
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `the ${options.name} worker ended unexpectedly: ${reason}`;
    options.onFailure(new HoldfastError('internal', message, { cause }));
  };
  const gone = Promise.withResolvers<void>();
  worker.once('exit', () => gone.resolve());
  worker.on('message', (message: Message) => {
    if (state !== 'failed') options.onMessage(message);
  });
  worker.on('error', fail);
  worker.on('messageerror', fail);
  worker.on('exit', (code) => fail(new Error(`exit code ${code}`)));
  return {
    post: (request, transfer = []) => worker.postMessage(request, transfer),
    [Symbol.asyncDispose]: async () => {
      if (state === 'running') state = 'ending';
      Atomics.store(new Int32Array(ending), 0, 1);
      worker.postMessage(end);
      await endOf(worker, gone.promise);
    },
  };
}

/**
 * A thread that is broken off anywhere may take the process with it: Node aborts when a zstd context was made and not
 * yet set up. So that is left for a worker that doesn't come to its end.
 */
async function endOf(worker: Worker, gone: Promise<void>): Promise<void> {
  const ended = new AbortController();
  const late = systemClock.sleep(longestLastJobMs, ended.signal).then(
    async () => void (await worker.terminate()),
    () => undefined, // it has ended
  );
  await Promise.race([gone, late]);
  ended.abort();
}

/** A worker finds its compiled code where the program's own is, which saves it some 20 MiB and 50 ms. */
function workerEnvironment(): NodeJS.ProcessEnv {
  const cache = getCompileCacheDir();
  return cache === undefined ? process.env : { ...process.env, NODE_COMPILE_CACHE: dirname(cache) };
}

/**
 * Answers the requests of the thread that started this worker. `handle` may send other messages before its answer; an
 * error that it throws ends the worker.
 */
export function serveRequests<Request, Message>(
  handle: (request: Request, send: (message: Message) => void) => Message | undefined,
): void {
  const port = parentPort;
  const birth: unknown = workerData;
  if (port === null || !isBirth(birth)) throw new HoldfastError('internal', 'this file is the entry of a worker');
  const ending = new Int32Array(birth.ending);
  const send = (message: Message): void => port.postMessage(message);
  port.on('message', (request: Request | typeof end) => {
    if (request === end) return port.close();
    if (Atomics.load(ending, 0) === 1) return;
    const answer = handle(request, send);
    if (answer !== undefined) send(answer);
  });
}

function isBirth(value: unknown): value is Birth {
  return typeof value === 'object' && value !== null && 'ending' in value && value.ending instanceof SharedArrayBuffer;
}

import { join } from 'node:path';
import type { Clock } from '../../../clock/clock.ts';
import { HoldfastError } from '../../../errors/error.ts';
import { lockFile } from '../../../host/file-lock.ts';
import type { ArchiveWork } from '../../log.ts';
import { checkGrant } from '../grant.ts';
import { FileTask, type Handing } from './file-task.ts';
import { Filling } from './filling.ts';
import { Gaps } from './gaps.ts';
import { segmentsAmong } from './log-file.ts';
import { ArchivePlace } from './place.ts';
import { readyFiles, wishOf } from './ready.ts';
import { Spool } from './spool.ts';

/** Without a file to store it ends after so long; the next push starts another. */
const idleMs = 30_000;
const scanMs = 50;
/** A grant may be taken away while it works. */
const grantMs = 1_000;
const queueMs = 1_000;
/** Who gives the lock back may have been asked whether anybody has it. */
const lockMs = 2_000;
/** Files that are stored and not asked for yet: beyond that it waits for the server. */
const mostAhead = 200;
/** What is read of segments at the same time; each is held several times while it is packed and sealed. */
const mostBytes = 128 * 2 ** 20;
const mostAtOnce = 4;

/**
 * Stores what the server of a data directory hands over, ahead of its asking: several files at a time, each in every
 * required place before its marker is written. One a host and component; resolves when there is nothing to do any more,
 * or another is at work. 'refused' where the directory has no grant.
 */
export async function archiveFiles(work: ArchiveWork): Promise<void> {
  const { component, stateFolder, dataDirectory } = work;
  const { systemIdentifier } = await granted(work);
  const spool = new Spool(stateFolder, component, systemIdentifier);
  spool.make();
  const lock = await acquire(spool.lockPath, work);
  if (lock === undefined) return;
  using _lock = lock;
  spool.sayWho(process.pid);
  spool.begin();
  const controller = new AbortController();
  const signal = AbortSignal.any([work.signal, controller.signal]);
  const name = { component, stream: systemIdentifier };
  const places = work.places.map((place) => new ArchivePlace({ ...work, signal, place, name }));
  const filling = new Filling(places, { ...work, signal });
  const gaps = new Gaps({ ...work, spool, places, name });
  const handing = { folder: join(dataDirectory, 'pg_wal'), dataDirectory, systemIdentifier, spool, places, filling };
  try {
    await new Worker(work, { ...handing, clock: work.clock }, gaps).run();
  } finally {
    controller.abort(new HoldfastError('interrupted', 'the worker of the log has ended'));
    await Promise.allSettled([filling.ended(), gaps.ended()]);
    for (const place of places) await place.close();
  }
}

async function granted({
  stateFolder,
  component,
  dataDirectory,
}: ArchiveWork): Promise<{ readonly systemIdentifier: string }> {
  const verdict = await checkGrant(stateFolder, component, dataDirectory);
  if (verdict.state === 'ok') return verdict.directory;
  throw new HoldfastError('refused', verdict.reason, { next: verdict.next });
}

async function acquire(
  path: string,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<Disposable | undefined> {
  const giveUpAt = clock.monotonicMs() + lockMs;
  for (;;) {
    const lock = lockFile(path);
    if (lock === 'unknown')
      throw new HoldfastError('unsupported', 'this system has no locks for files, which the worker of a log needs');
    if (lock !== 'held') return lock;
    if (clock.monotonicMs() > giveUpAt) return undefined;
    await clock.sleep(20, signal);
  }
}

class Worker {
  readonly #work: ArchiveWork;
  readonly #handing: Handing;
  readonly #gaps: Gaps;
  /** Under way, or with a wish that is not over yet. */
  readonly #tasks = new Map<string, FileTask>();
  #grantAtMs: number;
  #queueAtMs = 0;
  #busyAtMs: number;

  constructor(work: ArchiveWork, handing: Handing, gaps: Gaps) {
    this.#work = work;
    this.#gaps = gaps;
    this.#handing = handing;
    this.#grantAtMs = work.clock.monotonicMs();
    this.#busyAtMs = this.#grantAtMs;
  }

  async run(): Promise<void> {
    const { clock, signal } = this.#work;
    try {
      for (;;) {
        signal.throwIfAborted();
        await this.#checkGrant();
        await this.#scan();
        if (clock.monotonicMs() - this.#busyAtMs > idleMs) return;
        await clock.sleep(scanMs, signal);
      }
    } finally {
      await Promise.allSettled([...this.#tasks.values()].map(async (task) => await task.running));
    }
  }

  async #checkGrant(): Promise<void> {
    const nowMs = this.#work.clock.monotonicMs();
    if (nowMs - this.#grantAtMs < grantMs) return;
    this.#grantAtMs = nowMs;
    const { systemIdentifier } = await granted(this.#work);
    if (systemIdentifier !== this.#handing.systemIdentifier)
      throw new HoldfastError('refused', `${this.#work.dataDirectory} holds another cluster now`);
  }

  async #scan(): Promise<void> {
    const { spool, dataDirectory, filling } = this.#handing;
    const ready = await readyFiles(dataDirectory);
    const there = new Set(ready);
    spool.keepOnly(there);
    spool.boundLog();
    const { wanted, marked } = spool.look();
    this.#forget(there, marked);
    const asked = new Set(wanted);
    const isMarked = new Set(marked);
    await this.#dropBeyond(ready.filter((name) => !isMarked.has(name)));
    for (const name of [...ready.filter((one) => asked.has(one)), ...ready.filter((one) => !asked.has(one))]) {
      if (isMarked.has(name)) continue;
      const task = this.#taskOf(name, asked.has(name));
      if (task !== undefined) this.#start(task, asked.has(name) ? 'wanted' : 'ahead', marked.length);
    }
    filling.look();
    this.#gaps.look();
    if (ready.length > 0 || filling.isBusy) this.#busyAtMs = this.#work.clock.monotonicMs();
  }

  /** All that waits: what is replayed ends at the first hole, whatever stands behind it. */
  async #dropBeyond(waiting: readonly string[]): Promise<void> {
    const { mostQueuedBytes, component, dataDirectory, clock } = this.#work;
    if (mostQueuedBytes === undefined || clock.monotonicMs() - this.#queueAtMs < queueMs) return;
    this.#queueAtMs = clock.monotonicMs();
    const idle = waiting.filter((name) => this.#tasks.get(name)?.state !== 'running');
    const segments = await segmentsAmong(join(dataDirectory, 'pg_wal'), idle);
    const bytes = segments.reduce((sum, { extent }) => sum + Number(extent.to - extent.from), 0);
    if (bytes <= mostQueuedBytes) return;
    const [first] = segments;
    const reason = `${segments.length} segments from ${first?.name} on were dropped, for more waited than push-queue-max allows`;
    await this.#gaps.add(
      segments.map(({ extent }) => extent),
      reason,
    );
    const message = `${reason}: take a base backup now`;
    this.#work.listener({ kind: 'warning', during: 'log', item: component, message });
    for (const { name } of segments) await this.#drop(name);
  }

  async #drop(name: string): Promise<void> {
    const wish = wishOf(this.#work.dataDirectory, name);
    if (wish === undefined) return;
    const task = new FileTask(this.#handing, name, wish);
    this.#tasks.set(name, task);
    await task.drop();
  }

  /** What was consumed, and what is over for the server. */
  #forget(ready: ReadonlySet<string>, marked: readonly string[]): void {
    for (const [name, task] of this.#tasks)
      if (!ready.has(name) && task.state !== 'running' && !marked.includes(name)) this.#tasks.delete(name);
  }

  /** The task of this very wish; one that was done is begun anew only where a push waits, which found no marker. */
  #taskOf(name: string, isWanted: boolean): FileTask | undefined {
    const known = this.#tasks.get(name);
    if (known?.state === 'running') return undefined;
    const wish = wishOf(this.#handing.dataDirectory, name);
    if (wish === undefined) return undefined;
    if (known !== undefined && known.wish === wish && (known.state === 'waiting' || !isWanted))
      return known.state === 'waiting' ? known : undefined;
    const task = new FileTask(this.#handing, name, wish);
    this.#tasks.set(name, task);
    return task;
  }

  #start(task: FileTask, why: 'wanted' | 'ahead', marked: number): void {
    const running = [...this.#tasks.values()].filter(({ state }) => state === 'running').length;
    const most = Math.max(1, Math.min(mostAtOnce, Math.floor(mostBytes / task.sizeBytes())));
    if (running >= most || (why === 'ahead' && marked + running >= mostAhead)) return;
    task.start(why);
  }
}

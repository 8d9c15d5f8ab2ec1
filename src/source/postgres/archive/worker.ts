import { join } from 'node:path';
import { HoldfastError, hasCode } from '../../../errors/error.ts';
import { withDeadline } from '../../../flow/abort.ts';
import type { Extent } from '../../../log/log.ts';
import type { ArchiveWork } from '../../log.ts';
import { checkGrant } from '../grant.ts';
import { markCluster } from '../cluster-mark.ts';
import { AtHand } from './at-hand.ts';
import { dropAll } from './dropping.ts';
import type { Handing } from './file-task.ts';
import { Filling } from './filling.ts';
import { ForcedBase } from './forced-base.ts';
import { Gaps } from './gaps.ts';
import { Lane, type Due } from './lane.ts';
import { segmentsAmong } from './log-file.ts';
import { Packing } from './packing.ts';
import type { ArchivePlace } from './place.ts';
import { placesOf } from './places.ts';
import { readyFiles } from './ready.ts';
import { Spool } from './spool.ts';
import { Tasks } from './tasks.ts';
import { Warnings } from './warnings.ts';

/** Without a file to store it ends after so long; the next push starts another. */
const idleMs = 30_000;
const scanMs = 50;
/** A grant may be taken away while it works, and the policy changed. */
const grantMs = 1_000;
/** What is under way when it ends may come to its end for so long; a place that hangs keeps nobody waiting. */
const graceMs = 5_000;
const queueMs = 1_000;
/** Who gives the lock back may have been asked whether anybody has it. */
const lockMs = 2_000;

/**
 * Stores what the server of a data directory hands over, ahead of its asking: to each place at its own pace, several files
 * at a time, and each file in every required place before its marker is written. One a host and component; resolves when
 * there is nothing to do any more, or another is at work. 'refused' where the directory has no grant.
 */
export async function archiveFiles(work: ArchiveWork): Promise<void> {
  const { component, stateFolder } = work;
  const { systemIdentifier } = await granted(work);
  const spool = new Spool(stateFolder, component, systemIdentifier);
  await spool.make();
  const lock = await acquire(spool, work);
  if (lock === undefined) return;
  using _lock = lock;
  spool.sayWho(process.pid);
  spool.begin();
  mark(work, systemIdentifier);
  await archiveBy(spool, systemIdentifier, work);
}

async function archiveBy(spool: Spool, systemIdentifier: string, work: ArchiveWork): Promise<void> {
  const { component, dataDirectory } = work;
  const { notes } = spool;
  const folder = join(dataDirectory, 'pg_wal');
  const controller = new AbortController();
  const signal = AbortSignal.any([work.signal, controller.signal]);
  const name = { component, stream: systemIdentifier };
  const warnings = new Warnings(work);
  const places = placesOf(work, { signal, name, notes, warnings });
  const required = places.filter((place) => place.required);
  const isToCome = (extent: Extent): boolean => tasks.isToCome(extent);
  const filling = new Filling(places, { ...work, signal, notes, isToCome });
  const base = new ForcedBase({ work, spool, stream: systemIdentifier, signal });
  const onSaid = (place: ArchivePlace): void => filling.compareAgain(place);
  const gaps = new Gaps({ ...work, signal, notes, places, name, onSaid, onLacking: async () => await base.owe() });
  if (gaps.areAny) gaps.spare(await extentsOf(folder, await readyFiles(dataDirectory)));
  await using packing = new Packing({ folder, name });
  const atHand = new AtHand(packing, required.length);
  const onStored = (extent: Extent): void => gaps.release(extent);
  const handing = { folder, dataDirectory, spool, required, warnings, clock: work.clock, onStored };
  const tasks = new Tasks(handing);
  const worker = new Worker(work, { handing, tasks, gaps, base, filling, systemIdentifier, atHand });
  try {
    await worker.run();
  } finally {
    await worker.comeToAnEnd();
    controller.abort(new HoldfastError('interrupted', 'the worker of the log has ended'));
    await Promise.allSettled([worker.ended(), filling.ended(), gaps.ended(), base.ended()]);
    await Promise.all(places.map(async (place) => await place.close()));
  }
}

async function extentsOf(folder: string, names: readonly string[]): Promise<readonly Extent[]> {
  return (await segmentsAmong(folder, names)).map(({ extent }) => extent);
}

/** On a full disk it can't be made, and storing is what frees it: without the mark each file takes a push. */
function mark({ dataDirectory, component, listener }: ArchiveWork, systemIdentifier: string): void {
  try {
    markCluster(dataDirectory, systemIdentifier);
  } catch (error) {
    if (!hasCode(error, 'refused')) throw error;
    listener({ kind: 'warning', during: 'log', item: component, message: error.message });
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

async function acquire(spool: Spool, { clock, signal }: ArchiveWork): Promise<Disposable | undefined> {
  const giveUpAt = clock.monotonicMs() + lockMs;
  for (;;) {
    const lock = spool.lock();
    if (lock !== undefined || clock.monotonicMs() > giveUpAt) return lock;
    await clock.sleep(20, signal);
  }
}

interface Parts {
  readonly handing: Handing;
  readonly tasks: Tasks;
  readonly gaps: Gaps;
  readonly base: ForcedBase;
  readonly filling: Filling;
  readonly atHand: AtHand;
  readonly systemIdentifier: string;
}

class Worker {
  readonly #work: ArchiveWork;
  readonly #parts: Parts;
  readonly #tasks: Tasks;
  readonly #lanes: readonly Lane[];
  readonly #warnings: Warnings;
  /** What the last look has found. */
  #due: readonly Due[] = [];
  #marked = 0;
  /** What is to be dropped is chosen: nothing is begun meanwhile. */
  #isDropping = false;
  #fault: { readonly error: unknown } | undefined;
  #isOver = false;
  #grantAtMs: number;
  #queueAtMs = 0;
  #gapsAtMs = 0;
  #busyAtMs: number;

  constructor(work: ArchiveWork, parts: Parts) {
    this.#work = work;
    this.#parts = parts;
    this.#warnings = parts.handing.warnings;
    this.#tasks = parts.tasks;
    const onEnd = (fault?: { readonly error: unknown }): void => this.#next(fault);
    const lane = { tasks: this.#tasks, atHand: parts.atHand, filling: parts.filling, onEnd };
    this.#lanes = parts.handing.required.map((place) => new Lane({ ...lane, place }));
    this.#grantAtMs = work.clock.monotonicMs();
    this.#busyAtMs = this.#grantAtMs;
  }

  async run(): Promise<void> {
    const { clock, signal } = this.#work;
    for (;;) {
      signal.throwIfAborted();
      if (this.#fault !== undefined) throw this.#fault.error;
      if (!(await this.#isStillWanted())) return;
      await this.#scan();
      if (clock.monotonicMs() - this.#busyAtMs > idleMs) return;
      await clock.sleep(scanMs, signal);
    }
  }

  /** Nothing is begun any more, and what is under way goes on for a while. Never rejects. */
  async comeToAnEnd(): Promise<void> {
    this.#isOver = true;
    const { clock, signal } = this.#work;
    const error = (): Error => new HoldfastError('interrupted', 'the worker of the log ends');
    const grace = { ms: graceMs, clock, signal, error };
    await Promise.allSettled([withDeadline(grace, async () => await this.ended())]);
  }

  async ended(): Promise<void> {
    await Promise.all(this.#lanes.map(async (lane) => await lane.ended()));
  }

  /** Throws where it may not write the log any more. */
  async #isStillWanted(): Promise<boolean> {
    const nowMs = this.#work.clock.monotonicMs();
    if (nowMs - this.#grantAtMs < grantMs) return true;
    this.#grantAtMs = nowMs;
    const { systemIdentifier } = await granted(this.#work);
    if (systemIdentifier !== this.#parts.systemIdentifier)
      throw new HoldfastError('refused', `${this.#work.dataDirectory} holds another cluster now`);
    return (await this.#work.isStillWanted?.()) ?? true;
  }

  async #scan(): Promise<void> {
    const { handing, filling, base } = this.#parts;
    const { spool, dataDirectory } = handing;
    const ready = await readyFiles(dataDirectory);
    const there = new Set(ready);
    const { wanted, marked } = spool.look();
    for (const name of wanted) if (!there.has(name) && this.#tasks.isStored(name)) spool.sayStored(name);
    spool.keepOnly(there);
    spool.log.bound();
    this.#tasks.keep(ready, marked);
    const isMarked = new Set(marked);
    const waiting = ready.filter((name) => !isMarked.has(name));
    this.#due = this.#dueOf(waiting, new Set(wanted));
    this.#marked = marked.length;
    this.#begin();
    filling.look();
    this.#lookAtGaps(ready);
    if (waiting.length > 0 || filling.isBusy || base.isBusy) this.#busyAtMs = this.#work.clock.monotonicMs();
    await this.#settle();
    await this.#dropBeyond(waiting);
  }

  /** What pushes wait for first. */
  #dueOf(waiting: readonly string[], asked: ReadonlySet<string>): readonly Due[] {
    const due = waiting.flatMap((name): readonly Due[] => {
      const why = asked.has(name) ? 'wanted' : 'ahead';
      const task = this.#tasks.due(name, why === 'wanted');
      return task === undefined ? [] : [{ task, why }];
    });
    return [...due.filter(({ why }) => why === 'wanted'), ...due.filter(({ why }) => why === 'ahead')];
  }

  /** What is stored, and could not be marked; and pushes that wait in vain just now are told why. */
  async #settle(): Promise<void> {
    const { spool } = this.#parts.handing;
    const idle = this.#due.filter(({ task }) => !task.isRunning);
    for (const { task } of idle) if ((await task.settle()) === 'no room') break;
    for (const { task, why } of idle) {
      if (why === 'ahead' || task.isOver || task.isRunning) continue;
      const stopped = task.stopped ?? this.#tasks.inTheWayOf(task.name);
      if (stopped !== undefined && !spool.isFailed(task.name)) await spool.fail(task.name, stopped);
    }
  }

  #lookAtGaps(ready: readonly string[]): void {
    const { gaps, base } = this.#parts;
    const nowMs = this.#work.clock.monotonicMs();
    if (!gaps.isTelling) base.look();
    if (!gaps.areAny || nowMs - this.#gapsAtMs < queueMs) return;
    this.#gapsAtMs = nowMs;
    gaps.look(this.#tasks.extentsOf(ready));
  }

  async #dropBeyond(waiting: readonly string[]): Promise<void> {
    const { mostQueuedBytes, clock } = this.#work;
    if (mostQueuedBytes === undefined || clock.monotonicMs() - this.#queueAtMs < queueMs) return;
    this.#queueAtMs = clock.monotonicMs();
    this.#isDropping = true;
    try {
      const idle = waiting.filter((name) => !this.#tasks.isRunning(name) && !this.#tasks.isDurable(name));
      await this.#drop(idle, mostQueuedBytes);
    } catch (error) {
      if (!hasCode(error, 'storage-full')) throw error;
      this.#warnings.once(`what waits stays, though it is more than push-queue-max allows: ${error.message}`);
    } finally {
      this.#isDropping = false;
    }
  }

  async #drop(idle: readonly string[], mostQueuedBytes: number): Promise<void> {
    const { component, listener } = this.#work;
    const segments = await segmentsAmong(this.#parts.handing.folder, idle);
    const bytes = segments.reduce((sum, { extent }) => sum + Number(extent.to - extent.from), 0);
    if (bytes > mostQueuedBytes)
      await dropAll(segments, { component, listener, tasks: this.#tasks, gaps: this.#parts.gaps });
  }

  #begin(): void {
    if (this.#isDropping) return;
    for (const lane of this.#lanes) lane.begin(this.#due, this.#marked);
  }

  /** Whenever one has ended, another begins. */
  #next(fault: { readonly error: unknown } | undefined): void {
    this.#fault ??= fault;
    if (this.#isOver || this.#work.signal.aborted || this.#fault !== undefined) return;
    try {
      this.#begin();
    } catch (error) {
      this.#fault ??= { error };
    }
  }
}

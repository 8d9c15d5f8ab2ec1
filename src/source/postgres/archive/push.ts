import { basename, resolve } from 'node:path';
import { HoldfastError } from '../../../errors/error.ts';
import type { PushRequest } from '../../archiving.ts';
import { checkGrant } from '../grant.ts';
import { segmentFacts } from '../wal/segment.ts';
import { assertOfCluster, beginningOf, kindOfLogFile } from './log-file.ts';
import { wishOf } from './ready.ts';
import { Spool } from './spool.ts';

/** The server has a patience of its own: it asks again, and the worker goes on meanwhile. */
const mostMs = 55_000;
const lookMs = 10;
const mostStarts = 3;
/** Where the server has its success meanwhile, as by a marker, the worker tells whether it is stored. */
const overMs = 2_000;

/** Waits until the worker has stored a file of the log; starts one where none is at work. */
export async function pushFile(request: PushRequest): Promise<void> {
  const { component, dataDirectory, stateFolder } = request;
  const path = resolve(dataDirectory, request.path);
  const name = basename(path);
  const verdict = await checkGrant(stateFolder, component, dataDirectory);
  if (verdict.state === 'refused') throw new HoldfastError('refused', verdict.reason, { next: verdict.next });
  const { systemIdentifier } = verdict.directory;
  if ((await assertFits(path, name, systemIdentifier)) === 'needs no place') return;
  if (wishOf(dataDirectory, name) === undefined) throw notHandedOver(request, name);
  const spool = new Spool(stateFolder, component, systemIdentifier);
  await spool.make();
  spool.want(name);
  try {
    await new Waiting(request, spool, name).wait();
  } finally {
    spool.unwant(name);
  }
}

async function assertFits(path: string, name: string, systemIdentifier: string): Promise<'fits' | 'needs no place'> {
  const kind = kindOfLogFile(name);
  if (kind === undefined) throw new HoldfastError('refused', `${name} is no file of PostgreSQL's log`);
  if (kind === 'backup') return 'needs no place';
  if (kind === 'history') return 'fits';
  const { bytes, sizeBytes } = await beginningOf(path, name);
  assertOfCluster(segmentFacts(name, bytes, sizeBytes), systemIdentifier);
  return 'fits';
}

class Waiting {
  readonly #request: PushRequest;
  readonly #spool: Spool;
  readonly #name: string;
  #starts = 0;
  #overAtMs: number | undefined;
  #started: ReturnType<PushRequest['startWorker']> | undefined;

  constructor(request: PushRequest, spool: Spool, name: string) {
    this.#request = request;
    this.#spool = spool;
    this.#name = name;
  }

  async wait(): Promise<void> {
    const { clock, signal, component, dataDirectory } = this.#request;
    const giveUpAt = clock.monotonicMs() + mostMs;
    while (clock.monotonicMs() < giveUpAt) {
      signal.throwIfAborted();
      const wish = wishOf(dataDirectory, this.#name);
      if (wish === undefined ? this.#spool.isStored(this.#name) : this.#spool.consume(this.#name, wish)) return;
      const failure = this.#spool.failure(this.#name);
      if (failure !== undefined)
        throw new HoldfastError(failure.code, `${component}: ${failure.message}`, { next: failure.next });
      if (wish === undefined) this.#assureNotOver();
      else this.#assureWorker();
      await clock.sleep(lookMs, signal);
    }
    throw new HoldfastError('source-failed', `${component}: ${this.#name} is not stored yet${this.#said()}`, { next });
  }

  #assureNotOver(): void {
    const nowMs = this.#request.clock.monotonicMs();
    this.#overAtMs ??= nowMs + overMs;
    if (nowMs > this.#overAtMs) throw notHandedOver(this.#request, this.#name);
  }

  #assureWorker(): void {
    this.#spool.wantStill(this.#name);
    const { startWorker, component } = this.#request;
    if (this.#started?.isRunning() || isAtWork(this.#spool)) return;
    if (this.#starts === mostStarts)
      throw new HoldfastError('source-failed', `${component}: the worker that stores the log ends${this.#said()}`, {
        next,
      });
    this.#starts++;
    this.#started = this.#spool.log.of(startWorker);
  }

  #said(): string {
    const words = this.#spool.log.lastWords();
    return words === '' ? '' : `; it last said: ${words}`;
  }
}

function notHandedOver({ component, dataDirectory }: PushRequest, name: string): HoldfastError {
  return new HoldfastError('refused', `${component}: the server of ${dataDirectory} does not hand ${name} over`);
}

const next = 'The server keeps the segment and tries again.';

function isAtWork(spool: Spool): boolean {
  const lock = spool.lock();
  lock?.[Symbol.dispose]();
  return lock === undefined;
}

import { basename, resolve } from 'node:path';
import { HoldfastError } from '../../../errors/error.ts';
import { lockFile } from '../../../host/file-lock.ts';
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

/** Waits until the worker has stored a file of the log; starts one where none is at work. */
export async function pushFile(request: PushRequest): Promise<void> {
  const { component, dataDirectory, stateFolder } = request;
  const path = resolve(dataDirectory, request.path);
  const name = basename(path);
  const verdict = await checkGrant(stateFolder, component, dataDirectory);
  if (verdict.state === 'refused') throw new HoldfastError('refused', verdict.reason, { next: verdict.next });
  const { systemIdentifier } = verdict.directory;
  if ((await assertFits(path, name, systemIdentifier)) === 'needs no place') return;
  if (wishOf(dataDirectory, name) === undefined)
    throw new HoldfastError('refused', `${component}: the server of ${dataDirectory} does not hand ${name} over`);
  const spool = new Spool(stateFolder, component, systemIdentifier);
  spool.make();
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
  #started: ReturnType<PushRequest['startWorker']> | undefined;

  constructor(request: PushRequest, spool: Spool, name: string) {
    this.#request = request;
    this.#spool = spool;
    this.#name = name;
  }

  async wait(): Promise<void> {
    const { clock, signal, component } = this.#request;
    const giveUpAt = clock.monotonicMs() + mostMs;
    while (clock.monotonicMs() < giveUpAt) {
      signal.throwIfAborted();
      if (this.#spool.consume(this.#name)) return;
      const failure = this.#spool.failure(this.#name);
      if (failure !== undefined)
        throw new HoldfastError(failure.code, `${component}: ${failure.message}`, { next: failure.next });
      this.#assureWorker();
      await clock.sleep(lookMs, signal);
    }
    throw new HoldfastError('source-failed', `${component}: ${this.#name} is not stored yet${this.#said()}`, { next });
  }

  #assureWorker(): void {
    const { startWorker, component } = this.#request;
    if (this.#started?.isRunning() || isAtWork(this.#spool)) return;
    if (this.#starts === mostStarts)
      throw new HoldfastError('source-failed', `${component}: the worker that stores the log ends${this.#said()}`, {
        next,
      });
    this.#starts++;
    this.#started = startWorker(this.#spool.logPath);
  }

  #said(): string {
    const words = this.#spool.lastWords();
    return words === '' ? '' : `; it last said: ${words}`;
  }
}

const next = 'The server keeps the segment and tries again.';

function isAtWork({ lockPath }: Spool): boolean {
  const lock = lockFile(lockPath);
  if (lock === 'held') return true;
  if (lock !== 'unknown') lock[Symbol.dispose]();
  return false;
}

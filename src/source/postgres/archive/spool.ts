import {
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { fieldsInText } from '../../../bytes/fields.ts';
import { codes, type ErrorCode } from '../../../errors/codes.ts';
import { HoldfastError } from '../../../errors/error.ts';
import { errorCode, reasonOf } from '../../../host/system-error.ts';
import type { Extent } from '../../../log/log.ts';

/**
 * What `archive_command`, `archive-push` and their worker tell each other, as files by the names of segments:
 *
 * - `<name>.ok` — a marker: durable in every required place. Consumed by success (`rm`), so that none is believed twice.
 * - `<name>.wanted` — a push waits for it.
 * - `<name>.failed` — why it isn't there yet, for the push that waits.
 * - `gaps` — what was dropped, and is to be said in places that can't be reached.
 *
 * A marker of an earlier life of a data directory would lose a segment: the folder is of one system identifier, markers are
 * removed when a worker begins, and where the server has nothing to hand over by that name.
 */
export class Spool {
  readonly folder: string;
  readonly lockPath: string;
  readonly logPath: string;

  constructor(stateFolder: string, component: string, systemIdentifier: string) {
    const own = join(stateFolder, 'spool', component);
    this.folder = join(own, systemIdentifier);
    this.lockPath = join(own, 'worker.lock');
    this.logPath = join(own, 'worker.log');
  }

  /** 'refused' where it can't be written. */
  make(): void {
    this.#guarded(() => mkdirSync(this.folder, { recursive: true, mode: 0o700 }));
  }

  want(name: string): void {
    this.#remove(`${name}.failed`);
    this.#guarded(() => emptyFile(join(this.folder, `${name}.wanted`)));
  }

  unwant(name: string): void {
    this.#remove(`${name}.wanted`);
  }

  /** Whether a marker was there; it is gone then, and so is all else of that name. */
  consume(name: string): boolean {
    if (!this.#remove(`${name}.ok`)) return false;
    for (const rest of ['wanted', 'failed']) this.#remove(`${name}.${rest}`);
    return true;
  }

  isMarked(name: string): boolean {
    return this.#names().includes(`${name}.ok`);
  }

  /** There, and whole, when it resolves. */
  async mark(name: string): Promise<void> {
    this.#remove(`${name}.failed`);
    await this.#write(`${name}.ok`, '');
  }

  async fail(name: string, { code, message, next }: HoldfastError): Promise<void> {
    await this.#write(`${name}.failed`, JSON.stringify({ code, message, next }));
  }

  /** Why it isn't there yet; told once. */
  failure(name: string): HoldfastError | undefined {
    const text = this.#text(`${name}.failed`);
    if (text === undefined || text === '') return undefined;
    this.#remove(`${name}.failed`);
    return failureIn(text, name);
  }

  isFailed(name: string): boolean {
    return this.#text(`${name}.failed`) !== undefined;
  }

  /** Names that pushes wait for, and names that are marked. */
  look(): { readonly wanted: readonly string[]; readonly marked: readonly string[] } {
    const names = this.#names();
    const ending = (end: string): readonly string[] =>
      names.filter((name) => name.endsWith(end)).map((name) => name.slice(0, -end.length));
    return { wanted: ending('.wanted'), marked: ending('.ok') };
  }

  /** For people: the process that holds the lock. */
  sayWho(pid: number): void {
    this.#guarded(() => writeFileSync(this.lockPath, `${pid}\n`));
  }

  /** Nothing that an earlier worker left is believed; what pushes wait for stays. */
  begin(): void {
    for (const name of this.#names()) if (!name.endsWith('.wanted') && name !== 'gaps') this.#remove(name);
  }

  /** What was dropped, and is not said yet in every place. */
  gaps(): readonly Extent[] {
    const lines = (this.#text('gaps') ?? '').split('\n').filter((line) => line !== '');
    return lines.map((line) => {
      const [epoch = '0', from = '0', to = '0'] = line.split(' ');
      return { epoch: Number(epoch), from: BigInt(from), to: BigInt(to) };
    });
  }

  /** Lasting when it resolves. */
  async noteGaps(extents: readonly Extent[]): Promise<void> {
    await this.#write('gaps', extents.map(({ epoch, from, to }) => `${epoch} ${from} ${to}\n`).join(''));
  }

  /** Removes what is about files that the server doesn't hand over (any more). */
  keepOnly(ready: ReadonlySet<string>): void {
    for (const name of this.#names()) {
      const [, file] = /^(.*)\.(?:ok|wanted|failed)$/.exec(name) ?? [];
      if (file !== undefined && !ready.has(file)) this.#remove(name);
    }
  }

  /** The last lines that the worker said, which may be of an earlier one. */
  lastWords(): string {
    try {
      return readFileSync(this.logPath, 'utf8').trimEnd().split('\n').slice(-3).join(' ').slice(-1000);
    } catch (error) {
      if (errorCode(error) === undefined) throw error;
      return '';
    }
  }

  /** Whatever a worker goes on saying, its log stays small. */
  boundLog(): void {
    try {
      if (statSync(this.logPath).size > mostLogBytes) truncateSync(this.logPath);
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error;
    }
  }

  #names(): readonly string[] {
    return this.#guarded(() => readdirSync(this.folder));
  }

  #text(name: string): string | undefined {
    try {
      return readFileSync(join(this.folder, name), 'utf8');
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return undefined;
      throw this.#unusable(error);
    }
  }

  #remove(name: string): boolean {
    try {
      unlinkSync(join(this.folder, name));
      return true;
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return false;
      throw this.#unusable(error);
    }
  }

  async #write(name: string, text: string): Promise<void> {
    const draft = join(this.folder, `${name}.tmp`);
    try {
      {
        await using file = await open(draft, 'w', 0o600);
        await file.writeFile(text);
        await file.sync();
      }
      await rename(draft, join(this.folder, name));
    } catch (error) {
      rmSync(draft, { force: true });
      throw this.#unusable(error);
    }
  }

  #guarded<T>(body: () => T): T {
    try {
      return body();
    } catch (error) {
      throw this.#unusable(error);
    }
  }

  #unusable(cause: unknown): unknown {
    if (errorCode(cause) === undefined) return cause;
    const code = errorCode(cause) === 'ENOSPC' ? 'storage-full' : 'refused';
    return new HoldfastError(code, `the spool ${this.folder} can't be used: ${reasonOf(cause)}`, {
      cause,
      next: 'Make it writable for the user of the server. The server keeps the segment and tries again.',
    });
  }
}

const mostLogBytes = 256 * 1024;

function emptyFile(path: string): void {
  writeFileSync(path, '', { mode: 0o600 });
}

function failureIn(text: string, name: string): HoldfastError {
  const { code, message, next } = fieldsInText(text, name);
  return new HoldfastError(codeOf(code), String(message), { next: String(next) });
}

function codeOf(code: unknown): ErrorCode {
  return isCode(code) ? code : 'internal';
}

function isCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(codes, code);
}

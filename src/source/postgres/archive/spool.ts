import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fieldsInText } from '../../../bytes/fields.ts';
import { codes, type ErrorCode } from '../../../errors/codes.ts';
import { HoldfastError, hasCode } from '../../../errors/error.ts';
import { lockFile } from '../../../host/file-lock.ts';
import { isNote, Notes } from './notes.ts';
import type { Wish } from './ready.ts';
import { SpoolFolder } from './spool-folder.ts';
import { SpoolLog } from './spool-log.ts';

/**
 * What `archive_command`, `archive-push` and their worker tell each other, as files by the names of segments:
 *
 * - `<name>.ok` — a marker: durable in every required place. Consumed by success (`rm`), so that none is believed twice. It
 *   is dated a second later than the wish of the server that it is for: where the data directory alone was put back, and
 *   the same name is another segment since, its wish is the newer one.
 * - `<name>.wanted` — a push waits for it.
 * - `<name>.stored` — in place of that: somebody else took the marker, and the server wishes no more.
 * - `<name>.coming` — the worker is at it: the shell waits for that, before it starts a push.
 * - `<name>.failed` — why it isn't there yet, for the push that waits.
 *
 * What outlives a worker is in `notes`. A marker needs no bytes, so that a full disk has room for one as long as it takes any
 * file.
 *
 * A marker of an earlier life of a data directory would lose a segment: the folder is of one system identifier, markers are
 * removed when a worker begins, and where the server has nothing to hand over by that name.
 */
export class Spool {
  readonly notes: Notes;
  /** Of the worker. */
  readonly log: SpoolLog;
  /** Of a base backup that it starts. */
  readonly baseLog: SpoolLog;
  readonly #folder: SpoolFolder;
  readonly #lockPath: string;

  constructor(stateFolder: string, component: string, systemIdentifier: string) {
    const own = join(stateFolder, 'spool', component);
    this.#folder = new SpoolFolder(join(own, systemIdentifier));
    this.notes = new Notes(this.#folder);
    this.#lockPath = join(own, 'worker.lock');
    this.log = new SpoolLog(this.#folder, join(own, 'worker.log'));
    this.baseLog = new SpoolLog(this.#folder, join(own, 'base-backup.log'));
  }

  /** 'refused' where it can't be written. */
  async make(): Promise<void> {
    await this.#folder.make();
  }

  /** Nothing that was said before is meant for whoever waits now. */
  want(name: string): void {
    for (const rest of ['failed', 'stored']) this.#folder.remove(`${name}.${rest}`);
    this.wantStill(name);
  }

  /** Another push that waited for the same may have taken the wish with it. */
  wantStill(name: string): void {
    this.#folder.empty(`${name}.wanted`);
  }

  unwant(name: string): void {
    this.#folder.remove(`${name}.wanted`);
  }

  /** Whether a marker of this wish was there; it is gone then, as is one of an earlier wish. */
  consume(name: string, { atMs }: Wish): boolean {
    const markedMs = this.#folder.modifiedMs(`${name}.ok`);
    return markedMs !== undefined && this.#folder.remove(`${name}.ok`) && markedMs > atMs;
  }

  /** Tells those who wait for a file that the server wants no more that it is stored. */
  sayStored(name: string): void {
    this.#folder.rename(`${name}.wanted`, `${name}.stored`);
  }

  isStored(name: string): boolean {
    return this.#folder.modifiedMs(`${name}.stored`) !== undefined;
  }

  /** Until it is disposed of, and so after the marker. Where there is no room for it the shell starts a push the sooner. */
  begun(name: string): Disposable {
    this.#folder.whereThereIsRoom(() => this.#folder.empty(`${name}.coming`));
    return { [Symbol.dispose]: () => void this.#folder.remove(`${name}.coming`) };
  }

  /** There, and whole, when it resolves. */
  async mark(name: string, { atMs }: Wish): Promise<void> {
    this.#folder.remove(`${name}.failed`);
    await this.#folder.write(`${name}.ok`, '', atMs + 1000);
  }

  /** An empty one where there is room for its name alone; where not even that is, a push waits in vain, and says so. */
  async fail(name: string, { code, message, next }: HoldfastError): Promise<void> {
    try {
      await this.#folder.write(`${name}.failed`, JSON.stringify({ code, message, next }));
    } catch (error) {
      if (!hasCode(error, 'storage-full')) throw error;
      this.#folder.whereThereIsRoom(() => this.#folder.empty(`${name}.failed`));
    }
  }

  /** Why it isn't there yet; told once. */
  failure(name: string): HoldfastError | undefined {
    const text = this.#folder.text(`${name}.failed`);
    if (text === undefined) return undefined;
    this.#folder.remove(`${name}.failed`);
    return text === '' ? unsaid(name, this.#folder.path) : failureIn(text, name);
  }

  isFailed(name: string): boolean {
    return this.#folder.text(`${name}.failed`) !== undefined;
  }

  /** Names that pushes wait for, and names that are marked. */
  look(): { readonly wanted: readonly string[]; readonly marked: readonly string[] } {
    const names = this.#folder.names();
    const ending = (end: string): readonly string[] =>
      names.filter((name) => name.endsWith(end)).map((name) => name.slice(0, -end.length));
    return { wanted: ending('.wanted'), marked: ending('.ok') };
  }

  /** undefined: another process has it. */
  lock(): Disposable | undefined {
    const lock = this.#folder.guarded(() => lockFile(this.#lockPath));
    if (lock === 'unknown')
      throw new HoldfastError('unsupported', 'this system has no locks for files, which the worker of a log needs');
    return lock === 'held' ? undefined : lock;
  }

  /** For people: the process that holds the lock. */
  sayWho(pid: number): void {
    this.#folder.whereThereIsRoom(() => writeFileSync(this.#lockPath, `${pid}\n`));
  }

  /** Nothing that an earlier worker left is believed; what pushes wait for stays, and what is not done yet. */
  begin(): void {
    for (const name of this.#folder.names()) if (!name.endsWith('.wanted') && !isNote(name)) this.#folder.remove(name);
  }

  /** Removes what is about files that the server doesn't hand over (any more). */
  keepOnly(ready: ReadonlySet<string>): void {
    for (const name of this.#folder.names()) {
      const [, file] = /^(.*)\.(?:ok|wanted|failed|coming)$/.exec(name) ?? [];
      if (file !== undefined && !ready.has(file)) this.#folder.remove(name);
    }
  }
}

function unsaid(name: string, folder: string): HoldfastError {
  const message = `${name} is not stored, and ${folder} has no room to say why`;
  return new HoldfastError('storage-full', message, { next: 'The server keeps the segment and tries again.' });
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

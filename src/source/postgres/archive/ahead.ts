import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { HoldfastError } from '../../../errors/error.ts';
import { lockFile } from '../../../host/file-lock.ts';
import { errorCode, reasonOf } from '../../../host/system-error.ts';
import { parseSegmentName } from '../wal/segment.ts';

/**
 * Where a process that fetches ahead and the server's restore_command meet, beside the place where the server wants its
 * files, so that a mere `mv` delivers one. It is within the data directory: another cluster's is another folder.
 *
 * - `<segment>` — fetched before it was asked for: whole, and held against its name. `<segment>.draft` — on its way.
 * - `ask.<token>` — a file that somebody waits for, with a token of his own. The answers, which nobody else takes:
 *   `got.<token>` — the file, where it is no whole segment; `absent.<token>` — each place was asked since, and has none.
 *
 * What an earlier process left, but for what is asked, is removed before anything is fetched.
 */
export class Ahead {
  readonly folder: string;
  readonly logPath: string;

  constructor(target: string) {
    this.folder = join(dirname(target), '.holdfast-ahead');
    this.logPath = join(this.folder, 'log');
  }

  make(): void {
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
  }

  /** undefined: another process has it. */
  lock(): Disposable | undefined {
    const lock = lockFile(join(this.folder, 'lock'));
    return lock === 'held' || lock === 'unknown' ? undefined : lock;
  }

  isAtWork(): boolean {
    const lock = lockFile(join(this.folder, 'lock'));
    if (typeof lock === 'string') return true;
    lock[Symbol.dispose]();
    return false;
  }

  wipe(): void {
    for (const name of readdirSync(this.folder))
      if (name !== 'lock' && name !== 'log' && !name.startsWith('ask.')) this.remove(name);
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  held(): readonly string[] {
    return readdirSync(this.folder).filter((name) => parseSegmentName(name)?.kind === 'whole');
  }

  /** Of timelines before that of this file: who asks for it may follow it, and would take what was left where it isn't got. */
  removeOlder(file: string): void {
    for (const name of this.held()) if (name.slice(0, 8) < file.slice(0, 8)) this.remove(name);
  }

  remove(name: string): void {
    rmSync(this.path(name), { force: true });
  }

  /** False where it isn't there. */
  async take(name: string, target: string): Promise<boolean> {
    try {
      await rename(this.path(name), target);
      return true;
    } catch (cause) {
      if (errorCode(cause) === 'ENOENT') return false;
      if (errorCode(cause) === undefined) throw cause;
      throw new HoldfastError('source-failed', `${target} can't be written: ${reasonOf(cause)}`, { cause });
    }
  }

  /** The token by which it is answered. */
  ask(file: string): string {
    const token = randomUUID();
    writeFileSync(this.path(`new.${token}`), file, { mode: 0o600 });
    renameSync(this.path(`new.${token}`), this.path(`ask.${token}`));
    return token;
  }

  asked(): readonly { readonly token: string; readonly file: string }[] {
    const tokens = readdirSync(this.folder).filter((name) => name.startsWith('ask.'));
    return tokens.flatMap((name) => {
      const file = this.#text(name);
      return file === undefined ? [] : { token: name.slice('ask.'.length), file };
    });
  }

  /** Proven since it was asked for. */
  sayAbsent(token: string): void {
    writeFileSync(this.path(`absent.${token}`), '', { mode: 0o600 });
  }

  isAbsent(token: string): boolean {
    return this.#text(`absent.${token}`) !== undefined;
  }

  /** Nobody waits for it any more. */
  forget(token: string): void {
    for (const what of ['ask', 'got', 'absent']) this.remove(`${what}.${token}`);
  }

  #text(name: string): string | undefined {
    try {
      return readFileSync(this.path(name), 'utf8');
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return undefined;
      throw error;
    }
  }
}

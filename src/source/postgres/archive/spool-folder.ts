import { readdirSync, readFileSync, renameSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError, hasCode } from '../../../errors/error.ts';
import { makeLasting, syncFile, syncFolder } from '../../../host/lasting.ts';
import { errorCode, reasonOf } from '../../../host/system-error.ts';

/** The files of a spool. What keeps them from being read or written is 'refused', or 'storage-full' where only room lacks. */
export class SpoolFolder {
  readonly path: string;
  #drafts = 0;

  constructor(path: string) {
    this.path = path;
  }

  /** Lasting when it resolves, as far as it was not there. */
  async make(): Promise<void> {
    try {
      await makeLasting(this.path, 0o700);
    } catch (error) {
      throw this.#unusable(error);
    }
  }

  names(): readonly string[] {
    return this.guarded(() => readdirSync(this.path));
  }

  modifiedMs(name: string): number | undefined {
    return this.#ifThere(() => statSync(join(this.path, name)).mtimeMs);
  }

  text(name: string): string | undefined {
    return this.#ifThere(() => readFileSync(join(this.path, name), 'utf8'));
  }

  /** Whether it was there. */
  remove(name: string): boolean {
    return this.#ifThere(() => (unlinkSync(join(this.path, name)), true)) ?? false;
  }

  /** Nothing where it isn't there. */
  rename(from: string, to: string): void {
    this.#ifThere(() => renameSync(join(this.path, from), join(this.path, to)));
  }

  /** For a name alone there is room on a full disk, as long as it takes any file. */
  empty(name: string): void {
    this.guarded(() => writeFileSync(join(this.path, name), '', { mode: 0o600 }));
  }

  /** Empty files, all of them or none; lasting when it resolves. */
  async emptyForGood(names: readonly string[]): Promise<void> {
    const added = names.filter((name) => this.modifiedMs(name) === undefined);
    try {
      for (const name of added) this.empty(name);
      await syncFolder(this.path);
    } catch (error) {
      for (const name of added) this.remove(name);
      throw this.#unusable(error);
    }
  }

  /** Whole or not at all, and lasting when it resolves. Two may say something of one name at the same time. */
  async write(name: string, text: string, modifiedMs?: number): Promise<void> {
    const draft = join(this.path, `${name}.${this.#drafts++}.tmp`);
    try {
      {
        await using file = await open(draft, 'w', 0o600);
        await file.writeFile(text);
        if (modifiedMs !== undefined) await file.utimes(modifiedMs / 1000, modifiedMs / 1000);
        await syncFile(file);
      }
      await rename(draft, join(this.path, name));
    } catch (error) {
      rmSync(draft, { force: true });
      throw this.#unusable(error);
    }
  }

  /** For what nothing depends on. */
  whereThereIsRoom(body: () => void): void {
    try {
      this.guarded(body);
    } catch (error) {
      if (!hasCode(error, 'storage-full')) throw error;
    }
  }

  guarded<T>(body: () => T): T {
    try {
      return body();
    } catch (error) {
      throw this.#unusable(error);
    }
  }

  #ifThere<T>(body: () => T): T | undefined {
    try {
      return body();
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return undefined;
      throw this.#unusable(error);
    }
  }

  #unusable(cause: unknown): unknown {
    if (errorCode(cause) === undefined) return cause;
    const code = ['ENOSPC', 'EDQUOT'].includes(errorCode(cause) ?? '') ? 'storage-full' : 'refused';
    return new HoldfastError(code, `the spool ${this.path} can't be used: ${reasonOf(cause)}`, {
      cause,
      next: 'Make it writable for the user of the server. The server keeps the segment and tries again.',
    });
  }
}

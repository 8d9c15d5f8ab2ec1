import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { lockFile } from '../../../host/file-lock.ts';
import { errorCode } from '../../../host/system-error.ts';
import { parseSegmentName } from '../wal/segment.ts';

/**
 * Segments that were fetched before the server asked for them, beside the place where it wants them, so that a mere `mv`
 * delivers one. It is within the data directory: another cluster's is another folder. Whole segments alone get here, once
 * they were held against their names; that something isn't there is never noted. What an earlier run left is removed
 * before anything is fetched.
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
      if (name !== 'lock' && name !== 'log' && name !== 'at') rmSync(join(this.folder, name), { force: true });
  }

  path(file: string): string {
    return join(this.folder, file);
  }

  held(): readonly string[] {
    return readdirSync(this.folder).filter((name) => parseSegmentName(name)?.kind === 'whole');
  }

  remove(file: string): void {
    rmSync(this.path(file), { force: true });
  }

  /** False where it isn't there. */
  async take(file: string, target: string): Promise<boolean> {
    try {
      await rename(this.path(file), target);
      return true;
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return false;
      throw error;
    }
  }

  /** The server asked for this one, and it had to be fetched. */
  noteAt(file: string): void {
    writeFileSync(join(this.folder, 'at'), file, { mode: 0o600 });
  }

  at(): string | undefined {
    try {
      const name = readFileSync(join(this.folder, 'at'), 'utf8');
      return parseSegmentName(name) === undefined ? undefined : name;
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return undefined;
      throw error;
    }
  }
}

import { readFileSync, statSync, truncateSync } from 'node:fs';
import { errorCode } from '../../../host/system-error.ts';
import type { SpoolFolder } from './spool-folder.ts';

const mostBytes = 256 * 1024;

/** The file that a process aside says something to: whatever it goes on saying, it stays small. */
export class SpoolLog {
  readonly path: string;
  readonly #folder: SpoolFolder;

  constructor(folder: SpoolFolder, path: string) {
    this.#folder = folder;
    this.path = path;
  }

  /** Starts what says something to its end. */
  of<T>(start: (logPath: string) => T): T {
    return this.#folder.guarded(() => start(this.path));
  }

  /** The last lines, which may be of an earlier process. */
  lastWords(): string {
    try {
      return readFileSync(this.path, 'utf8').trimEnd().split('\n').slice(-3).join(' ').slice(-1000);
    } catch (error) {
      if (errorCode(error) === undefined) throw error;
      return '';
    }
  }

  bound(): void {
    try {
      if (statSync(this.path).size > mostBytes) truncateSync(this.path);
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error;
    }
  }
}

import { closeSync, ftruncateSync, openSync, readFileSync, readSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const stepBytes = 2 ** 20;

/**
 * Has free memory filled with pages of a file, as it is on a server that has run for a while. A virtual machine may give
 * memory that falls free back to its host within seconds, and who writes to it next pays for getting it again: up to 2 s
 * of the system's time a GiB, by chance of one tool or another. Pages of a file that nobody needs are simply taken over.
 */
export class FreeMemory implements Disposable {
  readonly #path: string;
  readonly #fd: number;
  /** What was read before may still be in memory: each filling goes on behind it. */
  #filledTo = 0;

  /** Keeps a file in `folder` that is one hole, and takes no room on the disk. */
  constructor(folder: string) {
    this.#path = join(folder, 'filling');
    this.#fd = openSync(this.#path, 'w+');
  }

  /** Most of what is free; the system keeps some. */
  fill(): void {
    const step = Buffer.alloc(stepBytes);
    const end = this.#filledTo + freeBytes();
    ftruncateSync(this.#fd, end);
    for (; this.#filledTo < end; this.#filledTo += stepBytes) readSync(this.#fd, step, 0, stepBytes, this.#filledTo);
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
    rmSync(this.#path);
  }
}

function freeBytes(): number {
  const [, kibibytes] = /^MemFree: +(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8')) ?? [];
  if (kibibytes === undefined) throw new Error('/proc/meminfo does not say how much memory is free');
  return Number(kibibytes) * 1024;
}

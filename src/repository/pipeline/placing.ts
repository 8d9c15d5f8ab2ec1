import { writeSync } from 'node:fs';
import type { BlobToPlace } from './reading-protocol.ts';

/** Holes are kept where whole blocks of a file system are zero. */
const blockBytes = 4096;
const zeros = Buffer.alloc(blockBytes);

/** Writes a blob's plaintext to all its targets. */
export function writeTargets(plaintext: Uint8Array, { targets, holes }: Pick<BlobToPlace, 'targets' | 'holes'>): void {
  for (const { fd, offset } of targets) {
    if (holes === 'write-all') writeAll(fd, plaintext, 0, plaintext.length, offset);
    else for (const { start, end } of dataRuns(plaintext, offset)) writeAll(fd, plaintext, start, end, offset);
  }
}

function writeAll(fd: number, bytes: Uint8Array, start: number, end: number, fileOffset: number): void {
  for (let done = start; done < end;) done += writeSync(fd, bytes, done, end - done, fileOffset + done);
}

/** What lies between blocks of zeros; blocks are those of the file, in which the bytes stand at `fileOffset`. */
function* dataRuns(bytes: Uint8Array, fileOffset: number): Generator<{ start: number; end: number }> {
  let start = -1;
  for (let at = 0; at < bytes.length;) {
    const next = Math.min(bytes.length, at + blockBytes - ((fileOffset + at) % blockBytes));
    const isZero = zeros.compare(bytes, at, next, 0, next - at) === 0;
    if (isZero && start >= 0) {
      yield { start, end: at };
      start = -1;
    } else if (!isZero && start < 0) start = at;
    at = next;
  }
  if (start >= 0) yield { start, end: bytes.length };
}

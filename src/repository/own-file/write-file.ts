import { createHash, type Hash } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import type { Fields } from '../../bytes/fields.ts';
import { frameShape } from '../../compression/frame.ts';
import { decompressPieces, decompressUnpacked } from '../../compression/zstd.ts';
import { openTransient } from '../../crypto/seal.ts';
import { HoldfastError } from '../../errors/error.ts';
import { errorCode, reasonOf } from '../../host/system-error.ts';
import { maxOwnBytes, neither, openBrace, parted, zstdMark } from '../own-form.ts';
import type { OwnFile, WriteRequest } from './protocol.ts';

const beginningBytes = 512;

/**
 * Opens, decompresses, hashes and writes piece by piece, in memory that is used again and again: a segment of a log as a
 * whole would take 16 MiB anew, which costs more than what is done with them. Where it throws the file is of no use.
 */
export function writeOwnFile({ key, name, stored, path }: WriteRequest): OwnFile {
  const opened = openTransient(key, stored);
  const fd = attempt(path, () => openSync(path, 'w', 0o600));
  try {
    const file = new FileBeingWritten(name, path, fd);
    eachPiece(opened, (piece) => file.take(piece));
    return file.end();
  } finally {
    closeSync(fd);
  }
}

/** The first holds the line, which is short. */
function eachPiece(opened: Uint8Array, use: (piece: Uint8Array) => void): void {
  if (opened[0] === openBrace) return use(opened);
  if (opened[0] !== zstdMark) throw neither();
  const frame = opened.subarray(1);
  const length = frameShape(frame)?.contentLength;
  if (length === undefined || length > maxOwnBytes) use(decompressUnpacked(frame, maxOwnBytes));
  else decompressPieces(frame, length, use);
}

class FileBeingWritten {
  readonly #name: string;
  readonly #path: string;
  readonly #fd: number;
  readonly #hash: Hash = createHash('sha256');
  #begun: Pick<OwnFile, 'about' | 'beginning'> | undefined;
  #sizeBytes = 0;

  constructor(name: string, path: string, fd: number) {
    this.#name = name;
    this.#path = path;
    this.#fd = fd;
  }

  take(piece: Uint8Array): void {
    const bytes = this.#begun === undefined ? this.#begin(parted(piece, this.#name)) : piece;
    this.#hash.update(bytes);
    attempt(this.#path, () => {
      for (let done = 0; done < bytes.length;)
        done += writeSync(this.#fd, bytes, done, bytes.length - done, this.#sizeBytes + done);
    });
    this.#sizeBytes += bytes.length;
  }

  end(): OwnFile {
    if (this.#begun === undefined) throw new HoldfastError('damaged', 'it is empty');
    return { ...this.#begun, sha256: this.#hash.digest('hex'), sizeBytes: this.#sizeBytes };
  }

  #begin({ about, bytes }: { readonly about: Fields; readonly bytes: Uint8Array }): Uint8Array {
    this.#begun = { about, beginning: new Uint8Array(bytes.subarray(0, beginningBytes)) };
    return bytes;
  }
}

/** Never 'storage-not-found': that would be taken for an object that isn't there. */
function attempt<Result>(path: string, step: () => Result): Result {
  try {
    return step();
  } catch (cause) {
    if (errorCode(cause) === undefined) throw cause;
    throw new HoldfastError('source-failed', `${path} can't be written: ${reasonOf(cause)}`, { cause });
  }
}

import { crc32c, crc32cJoined } from '../../bytes/crc32c.ts';
import { isRightPage, lsnOfPage } from '../../bytes/page-checksum.ts';
import type { BytesRead, PageChecks } from '../content.ts';
import { readAt } from './source-file.ts';

interface InspectedFile {
  readonly fd: number;
  readonly checks: PageChecks | undefined;
}

/** What a worker notes of the bytes of a file as it reads them, in their order. */
export class Inspector {
  readonly #file: InspectedFile | undefined;
  readonly #wrongBlocks: number[] = [];
  #crc32c = 0;

  /** Without a file no pages are looked at. */
  constructor(file?: InspectedFile) {
    this.#file = file;
  }

  add(bytes: Uint8Array, position: number): void {
    this.#crc32c = crc32c(this.#crc32c, bytes);
    if (this.#file?.checks !== undefined) this.#check(bytes, position, this.#file.fd, this.#file.checks);
  }

  result(): BytesRead {
    return { crc32c: this.#crc32c, wrongBlocks: this.#wrongBlocks };
  }

  /** What the server is just adding to the end need not be a whole page yet. */
  #check(bytes: Uint8Array, position: number, fd: number, { pageBytes, firstBlock, before }: PageChecks): void {
    for (let at = 0; at + pageBytes <= bytes.length; at += pageBytes) {
      const page = bytes.subarray(at, at + pageBytes);
      const block = firstBlock + (position + at) / pageBytes;
      if (isRightPage(page, block) || lsnOfPage(page) >= before) continue;
      if (readsTheSame(fd, page, position + at)) this.#wrongBlocks.push(block);
    }
  }
}

/** A page that is just being written reads otherwise the next time, and the log has the whole of it. */
function readsTheSame(fd: number, page: Uint8Array, position: number): boolean {
  const again = new Uint8Array(page.length);
  readAt(fd, again, again.length, position);
  return Buffer.compare(page, again) === 0;
}

/** Of contents one after the other; undefined where one of them was not looked at. */
export function joinedRead(
  parts: readonly { readonly sizeBytes: number; readonly read?: BytesRead | undefined }[],
): BytesRead | undefined {
  let crc = 0;
  const wrongBlocks: number[] = [];
  for (const { sizeBytes, read } of parts) {
    if (read === undefined) return undefined;
    crc = crc32cJoined(crc, read.crc32c, sizeBytes);
    wrongBlocks.push(...read.wrongBlocks);
  }
  return { crc32c: crc, wrongBlocks };
}

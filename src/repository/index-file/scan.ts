import { parseBlobId, parseFileId } from '../../bytes/ids.ts';
import { sealOverhead } from '../../crypto/seal.ts';
import { HoldfastError } from '../../errors/error.ts';
import type { IndexedPack } from '../index-file.ts';
import type { PackedBlob } from '../pack.ts';

const maxUint32 = 0xffffffff;

/**
 * The packs of an index file as restic and we write it, one by one: several times as fast as JSON.parse with a look
 * at each value, and without the whole file's objects in memory. Stops before the first pack that is written in any
 * other way ('differs'), right or wrong: then the caller must parse.
 */
export function* scanPacks(plaintext: Uint8Array): Generator<IndexedPack, 'all' | 'differs'> {
  const bytes = Buffer.from(plaintext.buffer, plaintext.byteOffset, plaintext.byteLength);
  if (bytes.toString('latin1', 0, head.length) !== head) return 'differs';
  for (let at = head.length; ;) {
    const end = bytes.indexOf(packEnd, at) + packEnd.length;
    const pack = end < at ? undefined : scanPack(bytes.toString('latin1', at, end));
    if (pack === undefined) return 'differs';
    yield pack;
    if (bytes[end] !== comma) return ends.has(bytes.toString('latin1', end, end + 4)) ? 'all' : 'differs';
    at = end + 1;
  }
}

const head = '{"packs":[';
const packEnd = ']}';
const ends: ReadonlySet<string> = new Set([']}', ']}\n']);
const comma = 0x2c;

/** Thrown and caught in this file: what stands here is written in another way. */
const differs = new HoldfastError('damaged', 'not as usual');

function scanPack(text: string): IndexedPack | undefined {
  try {
    const scan = new Scan(text);
    scan.expect('{"id":"');
    const id = parseFileId(scan.take(64));
    scan.expect('","blobs":[');
    const blobs = [blobAt(scan)];
    while (scan.skip(',')) blobs.push(blobAt(scan));
    scan.expect(packEnd);
    return { id, blobs, other: {} };
  } catch (error) {
    if (error instanceof HoldfastError) return undefined;
    throw error;
  }
}

function blobAt(scan: Scan): PackedBlob {
  scan.expect('{"id":"');
  const id = parseBlobId(scan.take(64));
  const type = scan.skip('","type":"data","offset":') ? 'data' : 'tree';
  if (type === 'tree') scan.expect('","type":"tree","offset":');
  const offset = scan.number();
  scan.expect(',"length":');
  const length = scan.number();
  if (length < sealOverhead) throw differs;
  const compressed = scan.skip(',"uncompressed_length":');
  const plainLength = compressed ? scan.number() : length - sealOverhead;
  if (compressed && plainLength === 0) throw differs;
  scan.expect('}');
  return { id, type, offset, length, plainLength, compressed };
}

/** A place in a text that goes forward over what is expected. */
class Scan {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  skip(expected: string): boolean {
    if (!this.#text.startsWith(expected, this.#at)) return false;
    this.#at += expected.length;
    return true;
  }

  expect(expected: string): void {
    if (!this.skip(expected)) throw differs;
  }

  take(length: number): string {
    this.#at += length;
    return this.#text.slice(this.#at - length, this.#at);
  }

  /** Digits of a uint32, at least one, no zero before others. */
  number(): number {
    const start = this.#at;
    let value = 0;
    for (; ; this.#at += 1) {
      const digit = this.#text.charCodeAt(this.#at) - 48;
      if (!(digit >= 0 && digit <= 9)) break;
      value = value * 10 + digit;
    }
    const digits = this.#at - start;
    if (digits === 0 || value > maxUint32 || (digits > 1 && this.#text[start] === '0')) throw differs;
    return value;
  }
}

import { closeSync, openSync } from 'node:fs';
import { release } from '../../bytes/release.ts';
import { HoldfastError } from '../../errors/error.ts';
import type { PackBytes, Slice } from './reading-protocol.ts';
import { readAt } from './source-file.ts';

/** What a worker keeps between requests. */
const keptBytes = 8 * 2 ** 20;

/** In a worker: gets at parts of packs, in memory that is used again and again. */
export class PackSlices {
  #scratch = new Uint8Array(2 ** 20);

  /** From `offset` to `end`, or less where the pack ends before. Valid until the next call. */
  slice(pack: PackBytes, offset: number, end: number): Slice {
    if (pack.kind === 'slices') return sliceWith(pack.slices, offset);
    const length = end - offset;
    const target = this.#room(length);
    const fd = openSync(pack.path, 'r');
    try {
      return { bytes: target.subarray(0, readAt(fd, target, length, offset)), offset };
    } finally {
      closeSync(fd);
    }
  }

  /** What was handed over is used no more. */
  done(pack: PackBytes): void {
    if (pack.kind === 'slices') for (const { bytes } of pack.slices) release(bytes);
  }

  #room(length: number): Uint8Array<ArrayBuffer> {
    if (length > keptBytes) return new Uint8Array(length);
    if (length > this.#scratch.length) this.#scratch = new Uint8Array(length);
    return this.#scratch;
  }
}

function sliceWith(slices: readonly Slice[], offset: number): Slice {
  const slice = slices.find((each) => each.offset <= offset && offset < each.offset + each.bytes.length);
  if (slice) return slice;
  throw endsEarly();
}

/** The sealed bytes of a blob; 'damaged' where the slice ends before it. */
export function sealedIn(
  { bytes, offset }: Slice,
  blob: { readonly offset: number; readonly length: number },
): Uint8Array {
  const from = blob.offset - offset;
  if (from + blob.length > bytes.length) throw endsEarly();
  return bytes.subarray(from, from + blob.length);
}

function endsEarly(): HoldfastError {
  return new HoldfastError('damaged', 'the pack ends before the blob does');
}

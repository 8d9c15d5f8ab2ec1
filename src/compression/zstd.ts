import { Compressor } from './compressor.ts';
import { Decompressor, decompressAtMost } from './decompressor.ts';

/**
 * How hard to compress, as restic's --compression. 'off' is for data blobs, which are then stored as they are;
 * what is compressed even so (trees, index, snapshots) is compressed as with 'auto'.
 */
export type CompressionMode = 'auto' | 'off' | 'fastest' | 'better' | 'max';

/**
 * Levels of zstd whose sizes are nearest to those of restic's encoder at the same mode. Its default lies between our
 * levels 2 and 3 (stored sizes 1.2 % above and 2 % below, on a mix of code, documents and programs), and level 3 takes
 * half again as long; up to 16 KiB zstd's own tables make level 1 as dense as level 2, in less time.
 */
const levels: Readonly<Record<CompressionMode, readonly [upTo16KiB: number, beyond: number]>> = {
  auto: [1, 2],
  off: [1, 2],
  fastest: [1, 1],
  better: [7, 7],
  max: [12, 12],
};

function levelFor(mode: CompressionMode, length: number): number {
  const [small, large] = levels[mode];
  return length <= 16_384 ? small : large;
}

const compressors = new Map<number, Compressor>();
const decompressor = new Decompressor();

/** One zstd frame: window of 512 KiB, no checksum, with the content's size. */
export function compress(bytes: Uint8Array, mode: CompressionMode): Uint8Array {
  return Buffer.from(compressTransient(bytes, mode));
}

/** As `compress`, but a view of memory that the next compressing or opening in this thread overwrites: for use at once. */
export function compressTransient(bytes: Uint8Array, mode: CompressionMode): Uint8Array {
  return compressorOf(levelFor(mode, bytes.length)).compress(bytes);
}

/** As `compress`, at a level of zstd's own, into memory of `compressBound` bytes: a view of it, or of memory of its own. */
export function compressInto(bytes: Uint8Array, level: number, output: Uint8Array): Uint8Array {
  return compressorOf(level).compressInto(bytes, output);
}

function compressorOf(level: number): Compressor {
  return compressors.getOrInsertComputed(level, () => new Compressor(level));
}

/** Exactly `length` bytes, or `damaged`; a frame that holds more is refused before it takes the memory. */
export function decompress(frame: Uint8Array, length: number): Uint8Array {
  return decompressor.decompress(frame, length);
}

/** As `decompress`, but a view of memory that the next call in this thread may overwrite: for use at once. */
export function decompressTransient(frame: Uint8Array, length: number): Uint8Array {
  return decompressor.decompressTransient(frame, length);
}

/** As `decompress`, handing out the bytes piece by piece, each to be used at once: whole, they take their memory. */
export function decompressPieces(frame: Uint8Array, length: number, use: (piece: Uint8Array) => void): void {
  decompressor.pieces(frame, length, use);
}

/** For what doesn't say how long it is (index, snapshots): `damaged` beyond `maxBytes`. */
export function decompressUnpacked(frame: Uint8Array, maxBytes: number): Uint8Array {
  return decompressAtMost(frame, maxBytes);
}

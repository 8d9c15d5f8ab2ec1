import { blobIdOf, idBytes } from '../bytes/ids.ts';
import { sealOverhead } from '../crypto/seal.ts';
import { HoldfastError } from '../errors/error.ts';
import type { BlobLocation } from './index.ts';

/**
 * A pack is its sealed blobs one after the other, the sealed header, and the header's sealed length as a uint32le.
 * The header has one entry a blob, in the order of the blobs: the kind (0 data, 1 tree, 2 data compressed, 3 tree
 * compressed), the stored length, for compressed blobs the plaintext's length, and the ID. Lengths are uint32le.
 */
export type PackedBlob = Omit<BlobLocation, 'pack'>;

const lengthFieldBytes = 4;
const plainEntryBytes = 37;
const compressedEntryBytes = 41;
/** Of a sealed header, the length field not counted. */
export const maxHeaderBytes = 16 * 1024 * 1024;
/** A pack that holds so many blobs must be closed. */
export const maxHeaderEntries = Math.floor((maxHeaderBytes - sealOverhead) / compressedEntryBytes);
/** Read at once with the length: most headers fit, and a second request costs more than the bytes. */
const eagerTailBytes = 15 * compressedEntryBytes + sealOverhead + lengthFieldBytes;

export function headerEntryBytes(compressed: boolean): number {
  return compressed ? compressedEntryBytes : plainEntryBytes;
}

/** Everything in a pack that is no blob. */
export function packOverheadBytes(blobs: Iterable<Pick<PackedBlob, 'compressed'>>): number {
  let bytes = sealOverhead + lengthFieldBytes;
  for (const blob of blobs) bytes += headerEntryBytes(blob.compressed);
  return bytes;
}

/** The header's plaintext. */
export function encodeHeader(blobs: readonly Omit<PackedBlob, 'offset'>[]): Uint8Array {
  const header = new Uint8Array(packOverheadBytes(blobs) - sealOverhead - lengthFieldBytes);
  const view = new DataView(header.buffer);
  let at = 0;
  for (const blob of blobs) at += encodeEntry(header, view, at, blob);
  return header;
}

function encodeEntry(header: Uint8Array, view: DataView, at: number, blob: Omit<PackedBlob, 'offset'>): number {
  const size = headerEntryBytes(blob.compressed);
  view.setUint8(at, (blob.type === 'tree' ? 1 : 0) + (blob.compressed ? 2 : 0));
  view.setUint32(at + 1, blob.length, true);
  if (blob.compressed) view.setUint32(at + 5, blob.plainLength, true);
  header.set(idBytes(blob.id), at + size - 32);
  return size;
}

/** What follows the blobs of a pack. */
export function packTail(sealedHeader: Uint8Array): Uint8Array {
  if (sealedHeader.length > maxHeaderBytes) throw new HoldfastError('internal', 'a pack header exceeds 16 MiB');
  const tail = new Uint8Array(sealedHeader.length + lengthFieldBytes);
  tail.set(sealedHeader);
  new DataView(tail.buffer).setUint32(sealedHeader.length, sealedHeader.length, true);
  return tail;
}

/**
 * The blobs that a header's plaintext names. `blobsBytes` is what stands before the header in the pack: entries that
 * reach beyond are 'damaged', as is anything else that no writer of the format produces.
 */
export function decodeHeader(header: Uint8Array, blobsBytes: number): readonly PackedBlob[] {
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  const blobs: PackedBlob[] = [];
  let offset = 0;
  for (let at = 0; at < header.length;) {
    const blob = decodeEntry(header, view, at, offset);
    blobs.push(blob);
    offset += blob.length;
    at += headerEntryBytes(blob.compressed);
    if (offset > blobsBytes) throw damaged('names blobs beyond the end of the pack');
  }
  return blobs;
}

function decodeEntry(header: Uint8Array, view: DataView, at: number, offset: number): PackedBlob {
  const kind = view.getUint8(at);
  if (kind > 3) throw damaged(`has an entry of the unknown kind ${kind}`);
  const compressed = kind >= 2;
  const end = at + headerEntryBytes(compressed);
  if (end > header.length) throw damaged('ends within an entry');
  const length = view.getUint32(at + 1, true);
  if (length < sealOverhead) throw damaged('names a blob that is too short to be sealed');
  const plainLength = compressed ? view.getUint32(at + 5, true) : length - sealOverhead;
  const id = blobIdOf(header.subarray(end - 32, end));
  return { id, type: kind % 2 === 1 ? 'tree' : 'data', offset, length, plainLength, compressed };
}

/** Reads `length` bytes of a pack from `offset`. */
export type ReadRange = (offset: number, length: number) => Promise<Uint8Array>;

/** A header as it stands in its pack. */
export interface SealedHeader {
  readonly sealed: Uint8Array;
  /** Where the header starts: what stands before are blobs. */
  readonly offset: number;
}

/** Finds the sealed header of a pack of `sizeBytes`, in at most two reads of at most 16 MiB. */
export async function readSealedHeader(sizeBytes: number, read: ReadRange): Promise<SealedHeader> {
  if (sizeBytes < sealOverhead + lengthFieldBytes) throw damaged('is missing: the pack is too short');
  const tailBytes = Math.min(sizeBytes, eagerTailBytes);
  const tail = await read(sizeBytes - tailBytes, tailBytes);
  const length = headerLength(tail, sizeBytes);
  const offset = sizeBytes - lengthFieldBytes - length;
  const start = tail.length - lengthFieldBytes - length;
  if (start < 0) return { sealed: await read(offset, length), offset };
  return { sealed: tail.subarray(start, start + length), offset };
}

function headerLength(tail: Uint8Array, sizeBytes: number): number {
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength);
  const length = view.getUint32(tail.length - lengthFieldBytes, true);
  if (length < sealOverhead) throw damaged('has a length that is too short');
  if (length > maxHeaderBytes) throw damaged('has a length above 16 MiB');
  if (length > sizeBytes - lengthFieldBytes) throw damaged('is longer than its pack');
  return length;
}

function damaged(problem: string): HoldfastError {
  return new HoldfastError('damaged', `the pack header ${problem}`);
}

import type { Fields } from '../bytes/fields.ts';
import { release } from '../bytes/release.ts';
import { compressAside, decompressAside } from '../compression/aside.ts';
import { compressBound } from '../compression/compressor.ts';
import { compressInto } from '../compression/zstd.ts';
import { open, seal, sealOverhead } from '../crypto/seal.ts';
import { HoldfastError, hasCode } from '../errors/error.ts';
import { confirmStored } from './confirm.ts';
import { lineOf, maxOwnBytes, neither, openBrace, parted, zstdMark } from './own-form.ts';
import type { Repository } from './repository.ts';
import { assertChangeable, sessionOf } from './session.ts';

/**
 * Objects that only Holdfast knows and that hold bytes, not JSON: one line of JSON, which says the object's full name (the
 * seal doesn't bind it) and what its room says of it, a line feed, and the bytes; then zstd behind the byte 2, as other
 * unpacked files of version 2 have it, or as it is in a repository of version 1; then sealed.
 */
export interface OwnBytes {
  /** What its room says of the bytes; with `name`. */
  readonly about: Fields;
  readonly bytes: Uint8Array;
}

/** Own bytes that were packed beforehand, as by another thread: `packed` is what is sealed. */
export interface PackedOwnBytes {
  readonly about: Fields;
  readonly packed: Uint8Array;
}

export interface WriteOptions {
  /** Of zstd. */
  readonly level?: number;
  readonly signal?: AbortSignal;
}

/** Of zstd: what is written once and read once, if ever, is worth little time. */
const usualLevel = 1;

/** As much as the line may take that stands before bytes which are packed where they are. */
export const lineRoomBytes = 4096;

/** What `packOwnBytes` may fill for so many bytes. */
export function packRoomBytes(length: number): number {
  return 1 + compressBound(lineRoomBytes + length);
}

/**
 * Packs what stands in `memory` behind `lineRoomBytes`, which it overwrites, into `room`, of which it returns a view, or of
 * memory of its own. For a thread: it takes its time, and copies nothing.
 */
export function packOwnBytes(name: string, about: Fields, memory: Uint8Array, room: Uint8Array): PackedOwnBytes {
  const line = lineOf(name, about);
  const from = lineRoomBytes - line.length;
  if (from < 0) throw new HoldfastError('internal', `too much is said of ${name}`);
  memory.set(line, from);
  const frame = compressInto(memory.subarray(from), usualLevel, room.subarray(1));
  room[0] = zstdMark;
  const isWithin = frame.buffer === room.buffer;
  const packed = isWithin ? room.subarray(0, 1 + frame.length) : Buffer.concat([Uint8Array.of(zstdMark), frame]);
  return { about, packed };
}

/** Durable when it resolves. 'storage-exists' where something stands there already: names are written once. */
export async function writeOwnBytes(
  repository: Repository,
  name: string,
  own: OwnBytes | PackedOwnBytes,
  { level = usualLevel, signal }: WriteOptions = {},
): Promise<void> {
  const { storage, key, config } = sessionOf(repository);
  assertChangeable(config);
  const plainOrPacked = config.version === 1 ? await plainOf(name, own) : await packedOf(name, own, level);
  const stored = seal(key, plainOrPacked);
  const wait = signal === undefined ? {} : { signal };
  await storage.put(name, [stored], { ifAbsent: true, ...wait });
  await confirmStored(storage, { key: name, sizeBytes: stored.length }, wait);
  release(stored);
}

/** 'storage-not-found' says for certain that there is none; 'damaged' where it is not what was written under this name. */
export async function readOwnBytes(repository: Repository, name: string, signal?: AbortSignal): Promise<OwnBytes> {
  const { storage, key } = sessionOf(repository);
  const wait = signal === undefined ? {} : { signal };
  const stored = await storage.get(name, { maxBytes: maxOwnBytes + sealOverhead, ...wait });
  try {
    const opened = open(key, stored);
    release(stored);
    const plain = await unpacked(opened);
    if (plain !== opened) release(opened);
    return parted(plain, name);
  } catch (cause) {
    if (!hasCode(cause, 'damaged')) throw cause;
    throw new HoldfastError('damaged', `${name} can't be opened: ${cause.message}`, { cause });
  }
}

async function plainOf(name: string, own: OwnBytes | PackedOwnBytes): Promise<Uint8Array> {
  return 'packed' in own ? await unpacked(own.packed) : Buffer.concat([lineOf(name, own.about), own.bytes]);
}

async function packedOf(name: string, own: OwnBytes | PackedOwnBytes, level: number): Promise<Uint8Array> {
  if ('packed' in own) return own.packed;
  return Buffer.concat([Uint8Array.of(zstdMark), await compressAside(await plainOf(name, own), level)]);
}

async function unpacked(plain: Uint8Array): Promise<Uint8Array> {
  if (plain[0] === openBrace) return plain;
  if (plain[0] !== zstdMark) throw neither();
  return await decompressAside(plain.subarray(1), maxOwnBytes);
}

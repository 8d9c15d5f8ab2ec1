import { parseFields, type Fields } from '../bytes/fields.ts';
import { compressAside, decompressAside } from '../compression/aside.ts';
import { open, seal, sealOverhead } from '../crypto/seal.ts';
import { HoldfastError, hasCode } from '../errors/error.ts';
import { confirmStored } from './confirm.ts';
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

export interface WriteOptions {
  /** Of zstd; what is written once and read once, if ever, is worth little of it. */
  readonly level?: number;
  readonly signal?: AbortSignal;
}

const [zstdMark, lineFeed, openBrace] = [2, 0x0a, 0x7b] as const;

/** The largest that is written or read: a segment of a log, of 1 GiB at most, and a line. */
const maxOwnBytes = 2 ** 30 + 2 ** 20;

/** Durable when it resolves. 'storage-exists' where something stands there already: names are written once. */
export async function writeOwnBytes(
  repository: Repository,
  name: string,
  { about, bytes }: OwnBytes,
  { level = 1, signal }: WriteOptions = {},
): Promise<void> {
  const { storage, key, config } = sessionOf(repository);
  assertChangeable(config);
  const line = Buffer.from(`${JSON.stringify({ ...about, name })}\n`);
  const plain = Buffer.concat([line, bytes]);
  const packed = config.version === 1 ? plain : [Uint8Array.of(zstdMark), await compressAside(plain, level)];
  const stored = seal(key, Array.isArray(packed) ? Buffer.concat(packed) : packed);
  const wait = signal === undefined ? {} : { signal };
  await storage.put(name, [stored], { ifAbsent: true, ...wait });
  await confirmStored(storage, { key: name, sizeBytes: stored.length }, wait);
}

/** 'storage-not-found' says for certain that there is none; 'damaged' where it is not what was written under this name. */
export async function readOwnBytes(repository: Repository, name: string, signal?: AbortSignal): Promise<OwnBytes> {
  const { storage, key } = sessionOf(repository);
  const wait = signal === undefined ? {} : { signal };
  const stored = await storage.get(name, { maxBytes: maxOwnBytes + sealOverhead, ...wait });
  try {
    return parted(await unpacked(open(key, stored)), name);
  } catch (cause) {
    if (!hasCode(cause, 'damaged')) throw cause;
    throw new HoldfastError('damaged', `${name} can't be opened: ${cause.message}`, { cause });
  }
}

async function unpacked(plain: Uint8Array): Promise<Uint8Array> {
  if (plain[0] === openBrace) return plain;
  if (plain[0] !== zstdMark) throw new HoldfastError('damaged', 'it is neither JSON nor compressed');
  return await decompressAside(plain.subarray(1), maxOwnBytes);
}

function parted(plain: Uint8Array, name: string): OwnBytes {
  const end = plain.indexOf(lineFeed);
  if (end === -1) throw new HoldfastError('damaged', 'it has no line that says what it is');
  const about = parseFields(plain.subarray(0, end), 'its first line');
  if (about['name'] !== name) throw new HoldfastError('damaged', 'it holds the content of another object');
  return { about, bytes: plain.subarray(end + 1) };
}

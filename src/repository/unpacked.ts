import { compress, decompressUnpacked } from '../compression/zstd.ts';
import { HoldfastError } from '../errors/error.ts';
import type { RepositoryConfig, SealedKind } from './repository.ts';
import { maxPlainBytes } from './size-limits.ts';

/**
 * The plaintext of a file that is no pack: raw JSON, known by its first byte, or the byte 2 and one zstd frame.
 * Version 1 knows only raw JSON. Locks and config stay raw: they are too short to gain.
 */
const zstdMark = 2;
const firstBytesOfJson: readonly (number | undefined)[] = [...Buffer.from('{[')];

export function encodeUnpacked(version: RepositoryConfig['version'], kind: SealedKind, json: Uint8Array): Uint8Array {
  if (version === 1 || kind === 'locks') return json;
  return Buffer.concat([Uint8Array.of(zstdMark), compress(json, 'auto')]);
}

/** `name` is told in errors, which are 'damaged'. */
export function decodeUnpacked(
  version: RepositoryConfig['version'],
  kind: SealedKind,
  stored: Uint8Array,
  name: string,
): Uint8Array {
  if (firstBytesOfJson.includes(stored[0])) return stored;
  if (version === 1 || stored[0] !== zstdMark)
    throw new HoldfastError('damaged', `${name} is neither JSON nor compressed`);
  return decompressUnpacked(stored.subarray(1), maxPlainBytes[kind]);
}

import { HoldfastError } from '../errors/error.ts';

declare const brand: unique symbol;
type Branded<Base, Name extends string> = Base & { readonly [brand]: Name };

/** SHA-256 of a blob's plaintext, 64 lower-case hex digits. */
export type BlobId = Branded<string, 'BlobId'>;
/** SHA-256 of the stored bytes of a file (pack, index, snapshot, key, lock), 64 lower-case hex digits. */
export type FileId = Branded<string, 'FileId'>;
/**
 * Bytes of a file name or path, one char (U+0000 to U+00FF) a byte ("latin1"), so that names which aren't UTF-8
 * survive and `<` compares in byte order. Show it through `displayPath` only.
 */
export type RawPath = Branded<string, 'RawPath'>;

const hexId = /^[0-9a-f]{64}$/;

export function isBlobId(text: string): text is BlobId {
  return hexId.test(text);
}

export function parseBlobId(text: string): BlobId {
  if (!isBlobId(text)) throw new HoldfastError('damaged', `not a blob ID: ${JSON.stringify(text.slice(0, 80))}`);
  return text;
}

export function parseFileId(text: string): FileId {
  if (!hexId.test(text)) throw new HoldfastError('damaged', `not a file ID: ${JSON.stringify(text.slice(0, 80))}`);
  return text as FileId;
}

/** The 32 bytes of an ID. */
export function idBytes(id: BlobId | FileId): Uint8Array {
  return Uint8Array.fromHex(id);
}

export function blobIdOf(hash: Uint8Array): BlobId {
  return hash.toHex() as BlobId;
}

export function fileIdOf(hash: Uint8Array): FileId {
  return hash.toHex() as FileId;
}

/** From the bytes that the system gave. */
export function rawPath(bytes: Buffer): RawPath {
  return bytes.toString('latin1') as RawPath;
}

/** From a string that a person typed (UTF-8). */
export function rawPathOf(text: string): RawPath {
  return (isAscii(text) ? text : Buffer.from(text, 'utf8').toString('latin1')) as RawPath;
}

/** From a string that has one byte in each char already. */
export function rawPathOfByteString(bytes: string): RawPath {
  return bytes as RawPath;
}

/** What to hand to a system call: a plain string where that is exact, else the bytes. */
export function systemPath(path: RawPath): string | Buffer {
  return isAscii(path) ? path : Buffer.from(path, 'latin1');
}

/** For people: UTF-8 where it is, U+FFFD for what isn't. */
export function displayPath(path: RawPath): string {
  return isAscii(path) ? path : Buffer.from(path, 'latin1').toString('utf8');
}

const nonAscii = /[^\x00-\x7f]/;

function isAscii(text: string): boolean {
  return !nonAscii.test(text);
}

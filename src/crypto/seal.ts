import { createCipheriv, createDecipheriv, timingSafeEqual, type Cipheriv, type Decipheriv } from 'node:crypto';
import { release } from '../bytes/release.ts';
import { passing } from '../bytes/scratch.ts';
import { HoldfastError } from '../errors/error.ts';
import { ivLength, KeyState, type Nonce } from './key-state.ts';
import { macLength, poly1305 } from './poly1305.ts';
import { SmallMessages } from './small-messages.ts';

/**
 * The keys under which a repository's bytes are sealed. Sealed form, as restic's format has it:
 * `IV (16) ‖ AES-256-CTR ciphertext ‖ Poly1305-AES of the ciphertext (16)`, where the IV is the first counter and
 * the MAC's one-time key is `macR ‖ AES-128(macK, IV)`. A value, never changed: what is derived from it is kept beside
 * the object, so the same object should be used again and again.
 */
export interface RepositoryKey {
  readonly encrypt: Uint8Array;
  readonly macK: Uint8Array;
  readonly macR: Uint8Array;
}

/** Bytes that sealing adds. */
export const sealOverhead = ivLength + macLength;

export function sealedLength(plaintextLength: number): number {
  return plaintextLength + sealOverhead;
}

/** Seals under a fresh random IV. */
export function seal(key: RepositoryKey, plaintext: Uint8Array): Buffer {
  const sealed = Buffer.allocUnsafe(sealedLength(plaintext.length));
  sealInto(key, plaintext, sealed, 0);
  return sealed;
}

/** Seals into `target` from `offset` on and returns the bytes written, `sealedLength(plaintext.length)`. */
export function sealInto(key: RepositoryKey, plaintext: Uint8Array, target: Uint8Array, offset: number): number {
  const small = smallMessages();
  if (plaintext.length <= small.capacity) small.seal(KeyState.of(key), plaintext, target, offset);
  else sealLarge(key, plaintext, target, offset);
  return sealedLength(plaintext.length);
}

function sealLarge(key: RepositoryKey, plaintext: Uint8Array, target: Uint8Array, offset: number): void {
  const { iv, oneTimeKey } = KeyState.of(key).nextNonce();
  const start = offset + ivLength;
  const end = start + plaintext.length;
  target.set(iv, offset);
  applyKeystream(createCipheriv('aes-256-ctr', key.encrypt, iv), plaintext, target, start);
  target.set(poly1305(oneTimeKey, target.subarray(start, end)), end);
}

/** Large plaintexts go piece by piece: each piece's ciphertext is a new buffer, and small ones stay in the cache. */
const pieceLength = 64 * 1024;

function applyKeystream(cipher: Cipheriv | Decipheriv, plaintext: Uint8Array, target: Uint8Array, start: number): void {
  for (let from = 0; from < plaintext.length; from += pieceLength) {
    const piece = cipher.update(plaintext.subarray(from, from + pieceLength));
    target.set(piece, start + from);
    release(piece);
  }
}

/** The plaintext; fails with `damaged` when the bytes were not sealed under this key or have changed since. */
export function open(key: RepositoryKey, sealed: Uint8Array): Buffer {
  return opened(key, sealed, (length) => Buffer.allocUnsafe(length));
}

/** As `open`, but a view of memory that the next opening or compressing in this thread overwrites: for use at once. */
export function openTransient(key: RepositoryKey, sealed: Uint8Array): Buffer {
  return opened(key, sealed, (length) => passing.room(length).subarray(0, length));
}

type Allocate = (length: number) => Buffer;

function opened(key: RepositoryKey, sealed: Uint8Array, allocate: Allocate): Buffer {
  const plaintext = sealed.length < sealOverhead ? undefined : openWhole(key, sealed, allocate);
  if (plaintext) return plaintext;
  throw new HoldfastError('damaged', `the seal on ${sealed.length} bytes does not match their content`);
}

function openWhole(key: RepositoryKey, sealed: Uint8Array, allocate: Allocate): Buffer | undefined {
  const iv = sealed.subarray(0, ivLength);
  if (iv.every((byte) => byte === 0)) return undefined;
  const state = KeyState.of(key);
  const small = smallMessages();
  const isSmall = sealed.length <= sealedLength(small.capacity);
  const nonce = state.nonceOf(iv);
  return isSmall ? small.open(state, nonce, sealed) : openLarge(key, nonce, sealed, allocate);
}

function openLarge(
  key: RepositoryKey,
  { iv, oneTimeKey }: Nonce,
  sealed: Uint8Array,
  allocate: Allocate,
): Buffer | undefined {
  const ciphertext = sealed.subarray(ivLength, sealed.length - macLength);
  const mac = sealed.subarray(sealed.length - macLength);
  if (!timingSafeEqual(poly1305(oneTimeKey, ciphertext), mac)) return undefined;
  const plaintext = allocate(ciphertext.length);
  applyKeystream(createDecipheriv('aes-256-ctr', key.encrypt, iv), ciphertext, plaintext, 0);
  return plaintext;
}

let small: SmallMessages | undefined;

/** The thread's one, made when the first message is sealed or opened. */
function smallMessages(): SmallMessages {
  small ??= new SmallMessages();
  return small;
}

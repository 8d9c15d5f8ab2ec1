import { createCipheriv, createDecipheriv, randomFillSync, timingSafeEqual, type Cipheriv } from 'node:crypto';
import { HoldfastError } from '../errors/error.ts';
import { blockCipher, macLength, poly1305 } from './poly1305.ts';

/**
 * The keys under which a repository's bytes are sealed. Sealed form, as restic's format has it:
 * `IV (16) ‖ AES-256-CTR ciphertext ‖ Poly1305-AES of the ciphertext (16)`, where the IV is the first counter and
 * the MAC's one-time key is `macR ‖ AES-128(macK, IV)`. Values: the same object should be used again and again,
 * what is derived from it is kept beside it.
 */
export interface RepositoryKey {
  readonly encrypt: Uint8Array;
  readonly macK: Uint8Array;
  readonly macR: Uint8Array;
}

const ivLength = 16;

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
  const { iv, oneTimeKey } = nextNonce(stateOf(key));
  const start = offset + ivLength;
  const end = start + plaintext.length;
  target.set(iv, offset);
  applyKeystream(createCipheriv('aes-256-ctr', key.encrypt, iv), plaintext, target, start);
  target.set(poly1305(oneTimeKey, target.subarray(start, end)), end);
  return end + macLength - offset;
}

/** The plaintext; fails with `damaged` when the bytes were not sealed under this key or have changed since. */
export function open(key: RepositoryKey, sealed: Uint8Array): Buffer {
  if (sealed.length < sealOverhead) throw unauthentic(sealed);
  const iv = sealed.subarray(0, ivLength);
  const ciphertext = sealed.subarray(ivLength, sealed.length - macLength);
  const state = stateOf(key);
  state.oneTimeKey.set(state.blocks.update(iv), 16);
  const mac = poly1305(state.oneTimeKey, ciphertext);
  if (!timingSafeEqual(mac, sealed.subarray(sealed.length - macLength))) throw unauthentic(sealed);
  if (iv.every((byte) => byte === 0)) throw unauthentic(sealed);
  return createDecipheriv('aes-256-ctr', key.encrypt, iv).update(ciphertext);
}

function unauthentic(sealed: Uint8Array): HoldfastError {
  return new HoldfastError('damaged', `the seal on ${sealed.length} bytes does not match their content`);
}

/** Large plaintexts go piece by piece: each piece's ciphertext is a new buffer, and small ones stay in the cache. */
const pieceLength = 128 * 1024;

function applyKeystream(cipher: Cipheriv, plaintext: Uint8Array, target: Uint8Array, start: number): void {
  for (let from = 0; from < plaintext.length; from += pieceLength) {
    target.set(cipher.update(plaintext.subarray(from, from + pieceLength)), start + from);
  }
}

/** What is derived from a key once: set-up is what a small blob's sealing costs. */
interface KeyState {
  readonly blocks: Cipheriv;
  /** `r ‖ s`; r stays, s is set for each message. */
  readonly oneTimeKey: Uint8Array;
  /** Random IVs drawn and enciphered 1024 at a time, each used once. */
  readonly ivs: Uint8Array;
  enciphered: Uint8Array;
  used: number;
}

const ivPoolLength = 1024 * ivLength;
const states = new WeakMap<RepositoryKey, KeyState>();

function stateOf(key: RepositoryKey): KeyState {
  const known = states.get(key);
  if (known) return known;
  const oneTimeKey = new Uint8Array(32);
  oneTimeKey.set(key.macR);
  const ivs = new Uint8Array(ivPoolLength);
  const state = { blocks: blockCipher(key.macK), oneTimeKey, ivs, enciphered: ivs, used: ivPoolLength };
  states.set(key, state);
  return state;
}

function nextNonce(state: KeyState): { readonly iv: Uint8Array; readonly oneTimeKey: Uint8Array } {
  if (state.used === ivPoolLength) {
    randomFillSync(state.ivs);
    state.enciphered = state.blocks.update(state.ivs);
    state.used = 0;
  }
  const from = state.used;
  state.used += ivLength;
  state.oneTimeKey.set(state.enciphered.subarray(from, from + ivLength), 16);
  return { iv: state.ivs.subarray(from, from + ivLength), oneTimeKey: state.oneTimeKey };
}

import { createCipheriv, randomFillSync, type Cipheriv } from 'node:crypto';
import type { RepositoryKey } from './seal.ts';

export const ivLength = 16;
const poolLength = 1024 * ivLength;

export interface Nonce {
  readonly iv: Uint8Array;
  /** Poly1305's key for this IV: `r ‖ AES-128(k, IV)`. Overwritten by the next nonce of the same key. */
  readonly oneTimeKey: Uint8Array;
}

/**
 * What is derived from a key once and serves for good. Setting up a cipher costs more than a small blob's bytes, and
 * so does asking for randomness: IVs are drawn 1024 at a time, each used once.
 */
export class KeyState {
  /** AES-256 of whole blocks under the encryption key. */
  readonly keystream: Cipheriv;
  readonly #macBlocks: Cipheriv;
  readonly #oneTimeKey = new Uint8Array(32);
  readonly #ivs = new Uint8Array(poolLength);
  #enciphered: Uint8Array = this.#ivs;
  #used = poolLength;

  private constructor(key: RepositoryKey) {
    this.keystream = createCipheriv('aes-256-ecb', key.encrypt, null).setAutoPadding(false);
    this.#macBlocks = createCipheriv('aes-128-ecb', key.macK, null).setAutoPadding(false);
    this.#oneTimeKey.set(key.macR);
  }

  static of(key: RepositoryKey): KeyState {
    const known = states.get(key);
    if (known) return known;
    const state = new KeyState(key);
    states.set(key, state);
    return state;
  }

  /** A fresh random one. */
  nextNonce(): Nonce {
    if (this.#used === poolLength) {
      randomFillSync(this.#ivs);
      this.#enciphered = this.#macBlocks.update(this.#ivs);
      this.#used = 0;
    }
    const from = this.#used;
    this.#used += ivLength;
    this.#oneTimeKey.set(this.#enciphered.subarray(from, from + ivLength), 16);
    return { iv: this.#ivs.subarray(from, from + ivLength), oneTimeKey: this.#oneTimeKey };
  }

  /** The one that a sealed message names. */
  nonceOf(iv: Uint8Array): Nonce {
    this.#oneTimeKey.set(this.#macBlocks.update(iv), 16);
    return { iv, oneTimeKey: this.#oneTimeKey };
  }
}

const states = new WeakMap<RepositoryKey, KeyState>();

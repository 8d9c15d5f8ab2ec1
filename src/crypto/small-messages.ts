import type { Cipheriv } from 'node:crypto';
import { instantiate } from '../bytes/wasm.ts';
import { HoldfastError } from '../errors/error.ts';
import { ivLength, type KeyState, type Nonce } from './key-state.ts';
import { macLength } from './poly1305.ts';

/** wasm/seal.ts: its exports' contracts stand there. */
interface SealModule {
  readonly memory: WebAssembly.Memory;
  oneTimeKeyAt(): number;
  sealedAt(): number;
  blocksAt(): number;
  capacity(): number;
  writeCounters(length: number): void;
  addBlocks(length: number): void;
  authenticate(length: number): void;
  isAuthentic(length: number): number;
}

const functions = [
  'oneTimeKeyAt',
  'sealedAt',
  'blocksAt',
  'capacity',
  'writeCounters',
  'addBlocks',
  'authenticate',
  'isAuthentic',
];

export function parseModule(exports: object): SealModule {
  const isSealModule = (value: object): value is SealModule =>
    'memory' in value && functions.every((name) => name in value);
  if (isSealModule(exports)) return exports;
  throw new HoldfastError('internal', 'seal.wasm was built from another version of its source');
}

/**
 * Seals and opens messages of a few KiB without setting up a native cipher and a native MAC for each: the keystream is
 * AES of the counters by one long-lived cipher, the rest happens in WASM. The bytes are the same.
 */
export class SmallMessages {
  readonly #module = parseModule(instantiate('seal'));
  readonly #memory = new Uint8Array(this.#module.memory.buffer);
  readonly #oneTimeKeyAt = this.#module.oneTimeKeyAt();
  readonly #sealedAt = this.#module.sealedAt();
  readonly #textAt = this.#sealedAt + ivLength;
  readonly #blocksAt = this.#module.blocksAt();
  /** The longest text that fits, bytes. */
  readonly capacity = this.#module.capacity();

  /** Writes IV, ciphertext and MAC into `target`. */
  seal(state: KeyState, plaintext: Uint8Array, target: Uint8Array, offset: number): void {
    const { iv, oneTimeKey } = state.nextNonce();
    const { length } = plaintext;
    this.#memory.set(iv, this.#sealedAt);
    this.#memory.set(oneTimeKey, this.#oneTimeKeyAt);
    this.#memory.set(plaintext, this.#textAt);
    this.#applyKeystream(state.keystream, length);
    this.#module.authenticate(length);
    target.set(this.#memory.subarray(this.#sealedAt, this.#textAt + length + macLength), offset);
  }

  /** Undefined where the MAC is wrong. `sealed` begins with the nonce's IV. */
  open(state: KeyState, nonce: Nonce, sealed: Uint8Array): Buffer | undefined {
    const length = sealed.length - ivLength - macLength;
    this.#memory.set(sealed, this.#sealedAt);
    this.#memory.set(nonce.oneTimeKey, this.#oneTimeKeyAt);
    if (this.#module.isAuthentic(length) === 0) return undefined;
    this.#applyKeystream(state.keystream, length);
    return Buffer.from(this.#memory.subarray(this.#textAt, this.#textAt + length));
  }

  #applyKeystream(keystream: Cipheriv, length: number): void {
    this.#module.writeCounters(length);
    const counters = this.#memory.subarray(this.#blocksAt, this.#blocksAt + Math.ceil(length / 16) * 16);
    this.#memory.set(keystream.update(counters), this.#blocksAt);
    this.#module.addBlocks(length);
  }
}

import { HoldfastError } from '../errors/error.ts';
import { instantiate } from './wasm.ts';

interface Module {
  readonly memory: WebAssembly.Memory;
  readonly bufferAt: () => number;
  readonly capacity: () => number;
  readonly update: (previous: number, length: number) => number;
}

let loaded: ReturnType<typeof load> | undefined;

/** The CRC-32C of what came before, whose CRC is `previous` (0 at the beginning), and of these bytes. */
export function crc32c(previous: number, bytes: Uint8Array): number {
  loaded ??= load();
  const { update, buffer } = loaded;
  let crc = previous;
  for (let at = 0; at < bytes.length; at += buffer.length) {
    const part = bytes.subarray(at, at + buffer.length);
    buffer.set(part);
    crc = update(crc, part.length) >>> 0;
  }
  return crc;
}

/** What `crc32cText` wrote. */
export function crc32cOf(text: string): number {
  return new DataView(Uint8Array.fromHex(text).buffer).getUint32(0, true);
}

/** As a manifest writes it: the four bytes as they stand in the memory of a little-endian machine, lower-case hex. */
export function crc32cText(crc: number): string {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, crc, true);
  return bytes.toHex();
}

/**
 * The CRC of two runs of bytes one after the other, by the CRCs of each: the first is multiplied by x to as many as the
 * second has bits, modulo the polynomial, and added.
 */
export function crc32cJoined(first: number, second: number, secondBytes: number): number {
  let crc = first;
  let power = xToTheEighth;
  for (let bytes = secondBytes; bytes > 0; bytes = Math.floor(bytes / 2)) {
    if (bytes % 2 === 1) crc = product(crc, power);
    power = product(power, power);
  }
  return (crc ^ second) >>> 0;
}

/** Reflected: the highest bit is the factor of 1. */
const polynomial = 0x82f63b78;
const one = 0x8000_0000;
const xToTheEighth = one >>> 8;

function product(a: number, b: number): number {
  let [sum, shifted] = [0, b];
  for (let bit = one; bit !== 0; bit >>>= 1) {
    if ((a & bit) !== 0) sum ^= shifted;
    shifted = (shifted & 1) === 0 ? shifted >>> 1 : (shifted >>> 1) ^ polynomial;
  }
  return sum >>> 0;
}

function load(): { readonly update: Module['update']; readonly buffer: Uint8Array } {
  const module = instantiate('crc32c');
  if (!isModule(module)) throw new HoldfastError('internal', 'crc32c.wasm lacks its functions');
  return { update: module.update, buffer: new Uint8Array(module.memory.buffer, module.bufferAt(), module.capacity()) };
}

function isModule(exports: object): exports is Module {
  return 'memory' in exports && 'update' in exports && 'bufferAt' in exports && 'capacity' in exports;
}

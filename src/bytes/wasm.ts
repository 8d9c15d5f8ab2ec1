import { readFileSync } from 'node:fs';
import { HoldfastError } from '../errors/error.ts';

const modules = new Map<string, WebAssembly.Module>();

/** The functions and the memory of a fresh instance of wasm/<name>.wasm, which a thread compiles once. */
export function instantiate(name: 'crc32c' | 'page-checksum' | 'rabin' | 'seal'): object {
  const module = modules.get(name) ?? new WebAssembly.Module(read(name));
  modules.set(name, module);
  return new WebAssembly.Instance(module).exports;
}

function read(name: string): Buffer<ArrayBuffer> {
  const file = new URL(`../../wasm/${name}.wasm`, import.meta.url);
  try {
    return readFileSync(file);
  } catch (cause) {
    const next = 'Build it with `npm run prepare`, with the development dependencies installed.';
    throw new HoldfastError('internal', `${name}.wasm can't be read`, { cause, next });
  }
}

const pageBytes = 65_536;

/** Grows a module's memory so that `length` bytes fit from `start` on, and gives a view of them. It must not grow again. */
export function reserve(memory: WebAssembly.Memory, start: number, length: number): Uint8Array<ArrayBuffer> {
  const missing = start + length - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / pageBytes));
  return new Uint8Array(memory.buffer, start, length);
}

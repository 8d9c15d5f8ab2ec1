import assert from 'node:assert/strict';
import { instantiate } from '../../src/bytes/wasm.ts';

type Fn = (...values: number[]) => number;

/** The function of that name in a module. */
export function functionOf(exports: object, name: string): Fn {
  const isFunction = (value: unknown): value is Fn => typeof value === 'function';
  const found: unknown = Object.entries(exports).find(([exported]) => exported === name)?.[1];
  assert.ok(isFunction(found), name);
  return found;
}

export function memoryOf(exports: object): Uint8Array {
  const hasMemory = (value: object): value is { readonly memory: WebAssembly.Memory } => 'memory' in value;
  assert.ok(hasMemory(exports));
  return new Uint8Array(exports.memory.buffer);
}

const pages = instantiate('page-checksum');
export const pageMemory = memoryOf(pages);
export const pageAt = functionOf(pages, 'pageAt')();

/** What a page of PostgreSQL's, the so-manieth of its relation, holds as its checksum. */
export function pageChecksum(page: Uint8Array, block: number): number {
  pageMemory.set(page, pageAt);
  return functionOf(pages, 'checksum')(page.length, block);
}

import { HoldfastError } from '../errors/error.ts';

/** wasm/rabin.ts: its exports' contracts stand there. */
export interface Rabin {
  readonly memory: WebAssembly.Memory;
  dataStart(): number;
  prepare(polynomial: bigint, splitMask: bigint): void;
  scan(from: number, to: number): number;
}

export function parseRabin(exports: object): Rabin {
  if (isRabin(exports)) return exports;
  throw new HoldfastError('internal', 'rabin.wasm was built from another version of its source');
}

function isRabin(exports: object): exports is Rabin {
  return 'memory' in exports && ['dataStart', 'prepare', 'scan'].every((name) => name in exports);
}

import { HoldfastError } from '../errors/error.ts';
import { instantiate } from './wasm.ts';

interface Module {
  readonly memory: WebAssembly.Memory;
  readonly pageAt: () => number;
  readonly checksum: (length: number, block: number) => number;
}

const checksumAt = 8;

let loaded: { readonly checksum: Module['checksum']; readonly memory: Uint8Array } | undefined;

/**
 * Whether a page of PostgreSQL's, of 1 to 32 KiB, holds the checksum that its bytes and the number of its block within
 * the relation give; one of zeros has none, and is right.
 */
export function isRightPage(page: Uint8Array, block: number): boolean {
  loaded ??= load();
  loaded.memory.set(page);
  const stored = (page[checksumAt] ?? 0) + (page[checksumAt + 1] ?? 0) * 256;
  return stored === loaded.checksum(page.length, block) || page.every((byte) => byte === 0);
}

/** Where in the log the page was changed last: its first eight bytes, high half first, each as the machine has it. */
export function lsnOfPage(page: Uint8Array): bigint {
  const view = new DataView(page.buffer, page.byteOffset, 8);
  return (BigInt(view.getUint32(0, true)) << 32n) | BigInt(view.getUint32(4, true));
}

function load(): NonNullable<typeof loaded> {
  const module = instantiate('page-checksum');
  if (!isModule(module)) throw new HoldfastError('internal', 'page-checksum.wasm lacks its functions');
  return { checksum: module.checksum, memory: new Uint8Array(module.memory.buffer, module.pageAt()) };
}

function isModule(exports: object): exports is Module {
  return 'memory' in exports && 'pageAt' in exports && 'checksum' in exports;
}

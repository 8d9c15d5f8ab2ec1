import { HoldfastError } from '../../../errors/error.ts';

/** PostgreSQL's page; a server built with another size tells so by its numbers, which then don't fit. */
export const blockBytes = 8192;

const magic = 0xd3ae1f0d;
/** 1 GiB has 131,072 blocks: no segment of a relation has more, unless the server was built so. */
const mostBlocks = 2 ** 22;

/** What changed of a relation's segment since the parent, as a server from 17 on sends it (`INCREMENTAL.<name>`). */
export interface Increment {
  /** Numbers of the blocks that come, ascending. */
  readonly blocks: Uint32Array;
  /** Blocks below this that don't come are the parent's; from it on they are zeros. */
  readonly truncatedTo: number;
  /** How many blocks the segment has now. */
  readonly blockCount: number;
  /** The blocks, one by one, in the order of their numbers. */
  readonly pages: AsyncIterable<Uint8Array>;
}

/**
 * Reads the head of an incremental file (src/backend/backup/basebackup_incremental.c): magic number, how many blocks,
 * the length below which the parent counts, their numbers; zeros up to a whole block where any come. 'source-failed' for
 * anything else.
 */
export async function readIncrement(bytes: AsyncIterable<Uint8Array>): Promise<Increment> {
  const taking = new Taking(bytes);
  const head = view(await taking.exactly(12));
  if (head.getUint32(0, true) !== magic) throw malformed('it does not begin as one');
  const [count, truncatedTo] = [head.getUint32(4, true), head.getUint32(8, true)];
  if (count > mostBlocks || truncatedTo > mostBlocks) throw malformed('it names more blocks than a segment has');
  const numbers = view(await taking.exactly(4 * count));
  const blocks = Uint32Array.from({ length: count }, (_, at) => numbers.getUint32(4 * at, true));
  assertAscending(blocks);
  const headBytes = 12 + 4 * count;
  if (count > 0) await taking.exactly((blockBytes - (headBytes % blockBytes)) % blockBytes);
  const blockCount = Math.max(truncatedTo, (blocks.at(-1) ?? -1) + 1);
  return { blocks, truncatedTo, blockCount, pages: pagesOf(taking, count) };
}

async function* pagesOf(taking: Taking, count: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < count; at++) yield await taking.exactly(blockBytes);
  await taking.end();
}

function assertAscending(blocks: Uint32Array): void {
  for (let at = 1; at < blocks.length; at++)
    if ((blocks[at] ?? 0) <= (blocks[at - 1] ?? 0)) throw malformed('its blocks are in no order');
  if ((blocks.at(-1) ?? 0) >= mostBlocks) throw malformed('it names a block that no segment has');
}

/** Hands out so many bytes at a time. */
class Taking {
  readonly #source: AsyncIterator<Uint8Array>;
  #held: Uint8Array = new Uint8Array();

  constructor(bytes: AsyncIterable<Uint8Array>) {
    this.#source = bytes[Symbol.asyncIterator]();
  }

  async exactly(length: number): Promise<Uint8Array> {
    const taken = new Uint8Array(length);
    for (let filled = 0; filled < length;) {
      if (this.#held.length === 0) this.#held = await this.#next();
      const part = this.#held.subarray(0, length - filled);
      taken.set(part, filled);
      filled += part.length;
      this.#held = this.#held.subarray(part.length);
    }
    return taken;
  }

  async end(): Promise<void> {
    const rest = await this.#source.next();
    if (this.#held.length > 0 || rest.done !== true) throw malformed('something follows its last block');
  }

  async #next(): Promise<Uint8Array> {
    const next = await this.#source.next();
    if (next.done === true) throw malformed('it ends early');
    return next.value;
  }
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function malformed(what: string): HoldfastError {
  return new HoldfastError('source-failed', `the server sent an incremental file that can’t be used: ${what}`);
}

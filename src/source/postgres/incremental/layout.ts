import { blockBytes, type Increment } from './increment.ts';

/** How a segment was cut into chunks that all have one size but the last. */
export interface Cut {
  readonly sizeBytes: number;
  readonly chunkBytes: number;
}

/** What becomes of the chunks of a segment when what changed of it is put in. */
export interface ChunkPlan {
  /** How many chunks it has then. */
  readonly count: number;
  /** Those that are no longer the parent's, ascending. */
  readonly changed: readonly number[];
}

/**
 * A chunk stays the parent's where no block of it comes, where all of its blocks are below what the segment was truncated
 * to meanwhile, and where it is as long as it was.
 */
export function planChunks(
  { sizeBytes, chunkBytes }: Cut,
  { blocks, truncatedTo, blockCount }: Pick<Increment, 'blocks' | 'truncatedTo' | 'blockCount'>,
): ChunkPlan {
  const newBytes = blockCount * blockBytes;
  const keptBytes = Math.min(sizeBytes, truncatedTo * blockBytes);
  const count = Math.ceil(newBytes / chunkBytes);
  const changed = new Set<number>();
  for (const block of blocks) changed.add(Math.floor((block * blockBytes) / chunkBytes));
  const lengthOf = (chunk: number, bytes: number): number => Math.min(chunkBytes, bytes - chunk * chunkBytes);
  for (let chunk = 0; chunk < count; chunk++) {
    const ends = chunk * chunkBytes + lengthOf(chunk, newBytes);
    if (ends > keptBytes || lengthOf(chunk, newBytes) !== lengthOf(chunk, sizeBytes)) changed.add(chunk);
  }
  return { count, changed: [...changed].toSorted((a, b) => a - b) };
}

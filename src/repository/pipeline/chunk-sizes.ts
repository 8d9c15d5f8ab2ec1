import { resticLimits, type ChunkLimits } from '../../chunking/chunker.ts';
import { HoldfastError } from '../../errors/error.ts';
import type { Chunking, Content } from '../content.ts';

/** A writer holds several of the largest chunks, in each worker and on their way. */
const largestHeld = 64 * 1024 * 1024;

/** The largest chunk that a repository has its files cut into; 'unsupported' where it can't be held. */
export function largestChunkOf(chunking: Chunking): number {
  const sizeBytes = chunking.kind === 'fixed' ? chunking.sizeBytes : chunking.maxBytes;
  if (sizeBytes <= largestHeld) return sizeBytes;
  throw new HoldfastError('unsupported', `the repository asks for chunks of up to ${sizeBytes} bytes`);
}

/** Where content is cut by what it says: at as many zero bits as the average size has, which rustic wants a power of two. */
export function limitsOf(chunking: Chunking): ChunkLimits {
  if (chunking.kind === 'fixed') return resticLimits;
  const { minBytes, averageBytes, maxBytes } = chunking;
  const averageBits = Math.log2(averageBytes);
  if (Number.isInteger(averageBits)) return { minBytes, maxBytes, averageBits };
  throw new HoldfastError('unsupported', `the repository asks for chunks of ${averageBytes} bytes: no power of two`);
}

/** What is to be cut by what it says is cut the repository's way. */
export function cutFor(chunking: Chunking, content: Content): Content {
  if (chunking.kind === 'rabin' || !('cut' in content) || content.cut !== 'rabin') return content;
  return { ...content, cut: { pagesBytes: chunking.sizeBytes } };
}

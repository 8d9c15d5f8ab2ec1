import { parseBlobId } from '../../bytes/ids.ts';
import { HoldfastError } from '../../errors/error.ts';
import type { BytesRead } from '../content.ts';
import type { StoredContent } from '../repository.ts';
import { joinedRead } from './inspector.ts';
import type { ContentOutcome } from './outcomes.ts';

export const nothingStored: StoredContent = { ids: [], sizeBytes: 0, newBlobs: 0, newBytes: 0, storedBytes: 0 };

/** What a worker says of a content, or the error that it ended with. */
export function storedBy(outcome: ContentOutcome, name: string, read?: BytesRead): StoredContent {
  if (outcome.kind === 'failed') throw new HoldfastError('source-failed', `cannot read ${name}: ${outcome.reason}`);
  const stored = { ...outcome.stored, ids: outcome.stored.ids.map(parseBlobId) };
  return read === undefined ? stored : { ...stored, read };
}

/** Contents one after the other. */
export function joined(contents: readonly StoredContent[]): StoredContent {
  const total = (of: (content: StoredContent) => number): number => contents.reduce((sum, each) => sum + of(each), 0);
  const read = joinedRead(contents);
  return {
    ...(read === undefined ? {} : { read }),
    ids: contents.flatMap(({ ids }) => ids),
    sizeBytes: total((each) => each.sizeBytes),
    newBlobs: total((each) => each.newBlobs),
    newBytes: total((each) => each.newBytes),
    storedBytes: total((each) => each.storedBytes),
  };
}

import { flag, parsed, text } from '../option.ts';
import { sizeBytes } from '../quantity.ts';

/** What `prune` and `forget --prune` have in common. */
export const pruneOptions = {
  instant: flag('alone on the repository, space is free at once: what local storage gets anyway'),
  deferred: flag('beside others at work, space is free a day later: what other storage gets anyway'),
  maxUnused: text('limit', 'how much unused data may stay: 5%, 2G or unlimited', { fallback: '5%' }),
  maxRepackSize: parsed('size', sizeBytes, 'rewrite at most this much'),
  repackCacheableOnly: flag('rewrite packs of trees only'),
  repackSmallerThan: parsed('size', sizeBytes, 'rewrite packs smaller than this'),
  repackSmall: flag('as restic takes it: packs that are too small are rewritten without it too'),
  repackUncompressed: flag('rewrite packs with uncompressed data'),
} as const;

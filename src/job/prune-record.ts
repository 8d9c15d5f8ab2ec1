import type { PruneStatistics } from '../repository/prune.ts';
import type { NewRecord } from './component.ts';
import type { PruneJobOptions, PruneJobOutcome } from './prune.ts';

/** What a prune was asked, what it planned, and what came of it. */
export function recordOfPrune(
  { way, journals }: Pick<PruneJobOptions, 'way' | 'journals'>,
  planned: PruneStatistics | undefined,
  { removedPacks, removedBytes, keptPacks, leaving, sweep, heldBack }: PruneJobOutcome,
): NewRecord['data'] {
  return {
    outcome: keptPacks === 0 && sweep === 'done' ? 'done' : 'done in part',
    way,
    ...(journals === 'discard' ? { journals: 'discarded' } : {}),
    planned: planned && {
      remove: planned.packs.remove + planned.packs.unreferenced,
      repack: planned.packs.repack,
      bytes: planned.bytes.removeTotal,
    },
    swept: { packs: removedPacks, bytes: removedBytes },
    kept: keptPacks,
    leaving: leaving.packs,
    ...(heldBack === undefined ? {} : { held: heldBack.bytes }),
  };
}

import type { HeldBack } from '../../repository/held-back.ts';
import type { PruneOptions, PruneStatistics, SweepPlan } from '../../repository/prune.ts';
import type { WriterOptions } from '../../repository/repository.ts';

/**
 * - 'instant': as restic prunes, alone on the repository; what isn't needed is gone when it ends.
 * - 'deferred': beside others. What isn't needed is marked and dropped from the index; a later prune deletes it.
 * - 'fitting': what suits the storage.
 */
export type PruneWay = 'instant' | 'deferred' | 'fitting';

export interface PruneJobOptions {
  readonly prune: PruneOptions;
  readonly writer: Omit<WriterOptions, 'signal' | 'mode'>;
  readonly mode: 'execute' | 'dry-run';
  readonly way: PruneWay;
  /** 'discard': what earlier prunes have put off is forgotten first. */
  readonly journals: 'heed' | 'discard';
  /** Told what becomes of packs that earlier prunes marked, before it does; not where there are none. */
  readonly onSweep: (plan: SweepPlan) => void;
  /** Told what is going to happen, before it does. */
  readonly onPlan: (statistics: PruneStatistics) => void;
}

export interface PruneJobOutcome {
  /** Deleted by the sweep of earlier prunes. */
  readonly removedPacks: number;
  readonly removedBytes: number;
  /** The storage refused to remove them: the next prune tries again. */
  readonly keptPacks: number;
  /** Not needed any more, and still there so that others can finish. */
  readonly leaving: Leaving;
  /** 'put-off': others were at work, so what was ripe is left to the next prune. */
  readonly sweep: 'done' | 'put-off';
  /** Where the storage hides what is removed: what makes room only later. */
  readonly heldBack?: HeldBack;
}

export interface Leaving {
  readonly packs: number;
  readonly bytes: number;
  /** When a prune may delete the last of them; undefined when they are only marked, or there are none. */
  readonly returnsNs: bigint | undefined;
}

const nothingLeaving: Leaving = { packs: 0, bytes: 0, returnsNs: undefined };

export const nothingDone: PruneJobOutcome = {
  removedPacks: 0,
  removedBytes: 0,
  keptPacks: 0,
  leaving: nothingLeaving,
  sweep: 'done',
};

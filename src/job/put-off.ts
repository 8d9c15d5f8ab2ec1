import { summarizeJournals, type JournalSummary } from '../repository/prune.ts';
import { HoldfastError } from '../errors/error.ts';
import type { Repository } from '../repository/repository.ts';

/** What to do where something is missing that a prune may only have put off; undefined where none has. */
export function adviceOnPutOff({ dropped }: Pick<JournalSummary, 'dropped'>): string | undefined {
  if (dropped.size === 0) return undefined;
  return `a prune took ${dropped.size} packs out of the index that are still there: what is missing may be in them; run \`holdfast prune\` before any repair, it takes back what snapshots need`;
}

/** 'refused' where a repair might give up what the next prune takes back. */
export async function assertNothingPutOff(repository: Repository): Promise<void> {
  const advice = adviceOnPutOff(await summarizeJournals(repository));
  if (advice === undefined) return;
  const next =
    'Run `holdfast prune`, which takes back what snapshots need even where it can not go on from there. If something is still missing, run `holdfast prune --discard-journals`, then repair. Nothing was changed.';
  throw new HoldfastError('refused', advice, { next });
}

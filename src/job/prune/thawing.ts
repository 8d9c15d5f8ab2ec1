import type { PrunePlan } from '../../repository/prune.ts';
import type { Repository } from '../../repository/repository.ts';
import type { JobContext } from '../job.ts';
import { thawPacks } from '../thaw.ts';

/** Archived packs that are to be rewritten have to be read. */
export async function thawToRepack(
  repository: Repository,
  { repack }: PrunePlan,
  context: JobContext,
  mode: 'execute' | 'dry-run',
): Promise<void> {
  if (repack.length === 0) return;
  const instead = '--repack-cacheable-only leaves packs of data as they are and removes what is wholly unused';
  await thawPacks(repository, context, { packs: async () => new Set(repack), mode, instead });
}

import type { BlobId, FileId } from '../bytes/ids.ts';
import { HoldfastError } from '../errors/error.ts';
import type { BlobType } from '../repository/index.ts';
import { summarizeJournals } from '../repository/prune.ts';
import type { Repository } from '../repository/repository.ts';
import { visitTrees, type VisitOptions } from '../snapshot/visit-trees.ts';

/** What to do where something is missing that a prune may only have put off; undefined where it took no packs out. */
export function adviceOnPutOff({ size }: ReadonlySet<FileId>): string | undefined {
  if (size === 0) return undefined;
  return `a prune took ${size} packs out of the index that may still be there: what is missing may be in them; run \`holdfast prune\` before any repair, it takes back what snapshots need`;
}

/**
 * 'refused' where a repair of snapshots with these trees might give up what the next prune takes back. The index is
 * loaded anew.
 */
export async function assertNothingPutOff(
  repository: Repository,
  trees: readonly BlobId[],
  options: VisitOptions,
): Promise<void> {
  const { dropped } = await summarizeJournals(repository);
  const advice = adviceOnPutOff(dropped.size > 0 ? dropped : await markedAndNeeded(repository, trees, options));
  if (advice === undefined) return;
  const next =
    'Run `holdfast prune`, which takes back what snapshots need even where it can not go on from there. If something is still missing, run `holdfast prune --discard-journals`, then repair. Nothing was changed.';
  throw new HoldfastError('refused', advice, { next });
}

/** Packs that an index marks for deletion, and that hold what these trees need and no other pack has. */
async function markedAndNeeded(
  repository: Repository,
  trees: readonly BlobId[],
  options: VisitOptions,
): Promise<ReadonlySet<FileId>> {
  await repository.loadIndex(options.listener, { outgoing: { packs: new Set() } });
  const { index, outgoing } = repository;
  const packs = new Set<FileId>();
  const seen = new Set<BlobId>();
  const need = (type: BlobType, id: BlobId): void => {
    if (!index.has(type, id)) for (const { pack } of outgoing.locations(type, id)) packs.add(pack);
  };
  const visitor = {
    enter: (tree: BlobId) => {
      need('tree', tree);
      return seen.size < seen.add(tree).size;
    },
    node: (_tree: BlobId, { content }: { readonly content: readonly BlobId[] | null }) => {
      for (const blob of content ?? []) need('data', blob);
    },
    failed: () => undefined,
  };
  if (outgoing.size > 0) await visitTrees(repository, trees, visitor, options);
  return packs;
}

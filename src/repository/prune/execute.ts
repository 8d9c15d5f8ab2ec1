import type { FileId } from '../../bytes/ids.ts';
import type { Listener } from '../../events/events.ts';
import type { Repository, WriterOptions } from '../repository.ts';
import { composeIndex, rewriteIndex } from '../rewrite-index.ts';
import { assertChangeable, sessionOf } from '../session.ts';
import type { PruneOptions, PrunePlan } from './plan.ts';
import type { Blobs } from '../blob-set.ts';
import { removePacks } from './remove-packs.ts';
import { makeDispensable } from './repack.ts';

export interface ExecuteOptions extends Pick<PruneOptions, 'unsafeRecoverNoFreeSpace'> {
  /** What the plan was made with. */
  readonly used: Blobs;
  /** How new packs are written; its signal ends the prune between two steps. */
  readonly writer: WriterOptions;
  readonly listener: Listener;
}

export interface PruneOutcome {
  /** Packs that should have gone and could not be removed; the next prune removes them. */
  readonly failedRemovals: number;
}

/**
 * Does what the plan says. What a crash leaves at each step is harmless: packs that no index names; blobs that stand
 * in two packs; packs that two index files name; and in the end again packs that no index names. Hold the exclusive
 * lock from before the plan was made, and load the index anew afterwards.
 */
export async function executePrune(
  repository: Repository,
  plan: PrunePlan,
  options: ExecuteOptions,
): Promise<PruneOutcome> {
  assertChangeable(sessionOf(repository).config);
  const removal = new Removal(repository, options);
  await removal.packs(plan.removeUnindexed);
  const going = await makeDispensable(repository, plan, options);
  const without = new Set([...going, ...plan.removeUnindexed]);
  if (options.unsafeRecoverNoFreeSpace) await removal.recover(without, [...plan.remove, ...plan.repack]);
  else if (going.size + plan.unmark.length > 0) await removal.inOrder(without, [...plan.remove, ...plan.repack]);
  return { failedRemovals: removal.failed };
}

class Removal {
  readonly #repository: Repository;
  readonly #options: ExecuteOptions;
  failed = 0;

  constructor(repository: Repository, options: ExecuteOptions) {
    this.#repository = repository;
    this.#options = options;
  }

  /** New index, old index, packs. */
  async inOrder(without: ReadonlySet<FileId>, packs: readonly FileId[]): Promise<void> {
    this.#options.writer.signal.throwIfAborted();
    const { obsolete } = await rewriteIndex(this.#repository, { without });
    for (const id of obsolete) await this.#repository.removeFile('index', id);
    await this.packs(packs);
  }

  /** Old index, packs, new index: for want of room. */
  async recover(without: ReadonlySet<FileId>, packs: readonly FileId[]): Promise<void> {
    const files = await composeIndex(this.#repository, without);
    for await (const { id } of this.#repository.list('index')) await this.#repository.removeFile('index', id);
    await this.packs(packs);
    for (const file of files) await this.#repository.writeFile('index', file);
  }

  async packs(ids: readonly FileId[]): Promise<void> {
    const { listener, writer } = this.#options;
    const { kept } = await removePacks(this.#repository, ids, { listener, signal: writer.signal });
    this.failed += kept.size;
  }
}

import type { FileId } from '../../bytes/ids.ts';
import { hasCode } from '../../errors/error.ts';
import type { Listener } from '../../events/events.ts';
import { TaskGroup } from '../../flow/task-group.ts';
import { reasonOf } from '../../host/system-error.ts';
import type { FileKind, Repository, WriterOptions } from '../repository.ts';
import { composeIndex, rewriteIndex } from '../rewrite-index.ts';
import { assertChangeable, sessionOf } from '../session.ts';
import { shortName } from '../layout.ts';
import { confirmNewPacks, packsOf } from './new-packs.ts';
import type { PruneOptions, PrunePlan, UsedBlobs } from './plan.ts';
import { assertKept, repack } from './repack.ts';

export interface ExecuteOptions extends Pick<PruneOptions, 'unsafeRecoverNoFreeSpace'> {
  /** What the plan was made with. */
  readonly used: UsedBlobs;
  /** How new packs are written; its signal ends the prune between two steps. */
  readonly writer: WriterOptions;
  readonly listener: Listener;
}

export interface PruneOutcome {
  /** Packs that should have gone and could not be removed; the next prune removes them. */
  readonly failedRemovals: number;
}

/** Removals at the same time. */
const concurrentRemovals = 5;

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
  const going = new Set([...plan.remove, ...plan.repack, ...plan.forget]);
  if (plan.repack.length > 0) {
    const known = packsOf(repository.index);
    await repack(repository, { ...options, going, packs: new Set(plan.repack) });
    await confirmNewPacks(repository, known, options.writer.signal);
  }
  assertKept(repository.index, options.used, going);
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
    const { obsolete } = await rewriteIndex(this.#repository, without);
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

  /** One that can't be removed is told and left: too many packs harm nobody. */
  async packs(ids: readonly FileId[]): Promise<void> {
    await using group = new TaskGroup({ limit: concurrentRemovals, signal: this.#options.writer.signal });
    let doneItems = 0;
    for (const id of ids) {
      group.run(async () => {
        await this.#remove('data', id);
        doneItems += 1;
        const phase = 'removing packs';
        this.#options.listener({ kind: 'progress', phase, doneBytes: 0, doneItems, totalItems: ids.length });
      });
    }
    await group.wait();
  }

  async #remove(kind: FileKind, id: FileId): Promise<void> {
    try {
      await this.#repository.removeFile(kind, id);
    } catch (error) {
      if (hasCode(error, 'storage-not-found')) return;
      if (!hasCode(error, 'storage-denied', 'storage-failed', 'storage-timeout', 'storage-read-only')) throw error;
      this.failed += 1;
      const item = shortName(kind, id);
      this.#options.listener({
        kind: 'warning',
        during: 'prune',
        item,
        message: `can't be removed: ${reasonOf(error)}`,
      });
    }
  }
}

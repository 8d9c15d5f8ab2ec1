import type { BlobId, FileId } from '../bytes/ids.ts';
import { HoldfastError } from '../errors/error.ts';
import { lockMemory } from '../repository/lock-memory.ts';
import { retain, type Needs, type Retained } from '../repository/retain.ts';
import type { Repository } from '../repository/repository.ts';
import { usedBlobs } from '../snapshot/used-blobs.ts';
import type { JobContext } from './job.ts';

/** Snapshots and their trees. */
export interface Rooted {
  readonly snapshots: readonly FileId[];
  readonly trees: readonly BlobId[];
}

/**
 * Locks what a new snapshot needs, on a storage that locks what is stored; undefined on any other. The snapshot is
 * there, whatever happens here: an error says that it isn't immutable.
 */
export async function makeImmutable(
  repository: Repository,
  rooted: Rooted,
  context: Pick<JobContext, 'clock' | 'listener' | 'signal'>,
  cacheFolder: string | undefined,
): Promise<Retained | undefined> {
  if (!repository.storage.versions?.retention) return undefined;
  const { clock, signal } = context;
  try {
    const memory = await lockMemory(cacheFolder, repository, clock);
    const retained = await retain(repository, await needsOf(repository, rooted, context), { clock, memory, signal });
    await memory.save();
    return retained;
  } catch (cause) {
    if (!(cause instanceof HoldfastError)) throw cause;
    throw new HoldfastError(cause.code, `the snapshot was saved, but it is not immutable: ${cause.message}`, { cause });
  }
}

/** Every pack that holds something of these trees. */
export async function needsOf(
  repository: Repository,
  { snapshots, trees }: Rooted,
  { listener, signal }: Pick<JobContext, 'listener' | 'signal'>,
): Promise<Needs> {
  const used = await usedBlobs(repository, trees, { listener, signal });
  const packs = new Set<FileId>();
  for (const { type, id, pack } of repository.index.all()) if (used.has(type, id)) packs.add(pack);
  return { snapshots, packs };
}

import { createHash } from 'node:crypto';
import type { BlobId } from '../bytes/ids.ts';
import { HoldfastError } from '../errors/error.ts';
import type { Repository } from '../repository/repository.ts';
import type { TreeNode } from '../snapshot/entry.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { findSnapshots, type FindOptions } from '../snapshot/snapshots.ts';
import { usedBlobs } from '../snapshot/used-blobs.ts';
import { walkTree } from '../snapshot/walk.ts';
import { inRepository, type JobContext } from './job.ts';

export type StatsMode = 'restore-size' | 'files-by-contents' | 'blobs-per-file' | 'raw-data';

export interface StatsOptions extends FindOptions {
  readonly names: readonly string[];
  readonly mode: StatsMode;
}

export interface StatsOutcome {
  readonly snapshots: number;
  readonly sizeBytes: number;
  readonly files: number;
  readonly blobs: number;
  /** Of raw data in a repository of version 2. */
  readonly raw?: {
    readonly uncompressedBytes: number;
    /** Of blobs that are compressed: stored, and as they were. */
    readonly compressed: { readonly storedBytes: number; readonly plainBytes: number };
  };
}

/** Counts what snapshots hold, in one of restic's ways. */
export async function stats(context: JobContext, options: StatsOptions): Promise<StatsOutcome> {
  return await inRepository(context, 'read', async (repository, signal) => {
    const snapshots = (await findSnapshots(repository, options.names, options)).map((found) => {
      if (found.kind === 'failed') throw found.error;
      return found.snapshot;
    });
    await repository.loadIndex(context.listener);
    const within = { ...context, signal };
    if (options.mode === 'raw-data') return await rawData(repository, snapshots, within);
    const counter = new Counter(repository, options.mode);
    for (const { tree } of snapshots) await countTree(repository, tree, counter, signal);
    return { snapshots: snapshots.length, ...counter.sums };
  });
}

async function countTree(repository: Repository, tree: BlobId, counter: Counter, signal: AbortSignal): Promise<void> {
  counter.nextSnapshot();
  for await (const item of walkTree(repository, tree, { signal })) {
    if (item.kind === 'unreadable') throw item.error;
    counter.node(item.path, item.node);
  }
}

class Counter {
  readonly sums = { sizeBytes: 0, files: 0, blobs: 0 };
  readonly #repository: Repository;
  readonly #mode: Exclude<StatsMode, 'raw-data'>;
  readonly #contents = new Set<string>();
  readonly #paths = new Map<string, Set<BlobId>>();
  #hardLinks = new Set<string>();

  constructor(repository: Repository, mode: Exclude<StatsMode, 'raw-data'>) {
    this.#repository = repository;
    this.#mode = mode;
  }

  /** Hard links count once in each snapshot. */
  nextSnapshot(): void {
    this.#hardLinks = new Set();
  }

  node(path: string, node: TreeNode): void {
    if (this.#mode === 'restore-size') return this.#restored(node);
    const content = createHash('sha256')
      .update((node.content ?? []).join(''))
      .digest('hex');
    if (this.#contents.has(content)) return;
    this.#contents.add(content);
    if (this.#mode === 'files-by-contents') {
      this.sums.files += 1;
      this.sums.sizeBytes += node.sizeBytes;
    } else for (const id of node.content ?? []) this.#blobOf(path, id);
  }

  #restored({ type, links, inode, deviceId, sizeBytes }: TreeNode): void {
    this.sums.files += 1;
    const link = `${deviceId}:${inode}`;
    const counted = links !== 1n && type !== 'dir' && inode !== 0n && this.#hardLinks.has(link);
    if (links !== 1n && type !== 'dir') this.#hardLinks.add(link);
    if (!counted) this.sums.sizeBytes += sizeBytes;
  }

  #blobOf(path: string, id: BlobId): void {
    const known = this.#paths.get(path);
    if (known === undefined) this.sums.files += 1;
    const blobs = known ?? new Set<BlobId>();
    this.#paths.set(path, blobs);
    if (blobs.has(id)) return;
    blobs.add(id);
    this.sums.blobs += 1;
    this.sums.sizeBytes += plainLength(this.#repository, id);
  }
}

function plainLength({ index }: Repository, id: BlobId): number {
  const length = index.plainLength('data', id);
  if (length === undefined) throw new HoldfastError('blob-missing', `no index names the data blob ${id}`);
  return length;
}

/** The seal of a blob: an IV and a MAC. */
const sealBytes = 32;

async function rawData(
  repository: Repository,
  snapshots: readonly Snapshot[],
  context: JobContext,
): Promise<StatsOutcome> {
  const used = await usedBlobs(
    repository,
    snapshots.map(({ tree }) => tree),
    context,
  );
  const sums = { sizeBytes: 0, blobs: 0, uncompressedBytes: 0, storedBytes: 0, plainBytes: 0 };
  const seen = new Set<string>();
  for (const { type, id, length, plainLength: plain, compressed } of repository.index.all()) {
    if (!used.has(type, id) || seen.has(`${type} ${id}`)) continue;
    seen.add(`${type} ${id}`);
    sums.blobs += 1;
    sums.sizeBytes += length;
    sums.uncompressedBytes += plain + sealBytes;
    if (!compressed) continue;
    sums.storedBytes += length;
    sums.plainBytes += plain + sealBytes;
  }
  if (seen.size < used.size)
    throw new HoldfastError('blob-missing', `no index names ${used.size - seen.size} blobs that snapshots need`);
  const { sizeBytes, blobs, uncompressedBytes, storedBytes, plainBytes } = sums;
  const raw = { uncompressedBytes, compressed: { storedBytes, plainBytes } };
  const base = { snapshots: snapshots.length, sizeBytes, files: 0, blobs };
  return repository.config.version < 2 ? base : { ...base, raw };
}

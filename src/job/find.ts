import type { BlobId, FileId } from '../bytes/ids.ts';
import { HoldfastError } from '../errors/error.ts';
import type { BlobLocation, BlobType } from '../repository/index.ts';
import type { Repository } from '../repository/repository.ts';
import { findBlobs, findNodes, type FindQuery, type FoundBlob } from '../snapshot/find.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { findSnapshots, type FindOptions } from '../snapshot/snapshots.ts';
import type { UnreadableTree, WalkedNode } from '../snapshot/walk.ts';
import { inRepository, type JobContext } from './job.ts';
import { loadReadableIndex } from './readable-index.ts';

export interface FindJobOptions extends FindOptions {
  readonly names: readonly string[];
  readonly order: 'newest first' | 'oldest first';
  readonly wanted:
    | { readonly kind: 'nodes'; readonly query: FindQuery }
    /** IDs, or the start of them with eight digits. */
    | { readonly kind: 'blobs' | 'trees' | 'packs'; readonly ids: readonly string[] };
  readonly onNode: (snapshot: Snapshot, found: WalkedNode) => void;
  readonly onBlob: (snapshot: Snapshot, found: FoundBlob) => void;
}

export interface FindOutcome {
  /** Where the blobs that were looked for stand. */
  readonly locations: readonly BlobLocation[];
}

/** Searches snapshots; a folder that can't be read is told as a warning. */
export async function find(context: JobContext, options: FindJobOptions): Promise<FindOutcome> {
  return await inRepository(context, 'read', async (repository, signal) => {
    const snapshots = (await findSnapshots(repository, options.names, options)).map((found) => {
      if (found.kind === 'failed') throw found.error;
      return found.snapshot;
    });
    await loadReadableIndex(repository, context.listener);
    const { wanted } = options;
    const blobs = wanted.kind === 'nodes' ? undefined : wantedBlobs(repository, wanted.kind, wanted.ids);
    for (const snapshot of options.order === 'newest first' ? snapshots.toReversed() : snapshots) {
      if (wanted.kind === 'nodes') await searchNodes(context, options, { repository, snapshot, signal }, wanted.query);
      else if (blobs !== undefined) await searchBlobs(context, options, { repository, snapshot, signal }, blobs.has);
    }
    return { locations: blobs?.locations ?? [] };
  });
}

interface Place {
  readonly repository: Repository;
  readonly snapshot: Snapshot;
  readonly signal: AbortSignal;
}

async function searchNodes(
  context: JobContext,
  { onNode }: FindJobOptions,
  place: Place,
  query: FindQuery,
): Promise<void> {
  const { repository, snapshot, signal } = place;
  for await (const found of findNodes(repository, snapshot.tree, query, signal)) {
    if (found.kind === 'node') onNode(snapshot, found);
    else unreadable(context, snapshot.id, found);
  }
}

async function searchBlobs(
  context: JobContext,
  { onBlob }: FindJobOptions,
  { repository, snapshot, signal }: Place,
  has: (type: BlobType, id: BlobId) => boolean,
): Promise<void> {
  for await (const found of findBlobs(repository, snapshot.tree, has, signal)) {
    if (found.kind === 'blob') onBlob(snapshot, found);
    else unreadable(context, snapshot.id, found);
  }
}

function unreadable({ listener }: JobContext, snapshot: FileId, { path, error }: UnreadableTree): void {
  listener({ kind: 'warning', during: 'find', item: `${snapshot.slice(0, 8)}:${path}`, message: error.message });
}

interface Wanted {
  readonly has: (type: BlobType, id: BlobId) => boolean;
  readonly locations: readonly BlobLocation[];
}

/** Of blobs and trees by their own IDs; of packs all that the index says is in them. */
function wantedBlobs({ index }: Repository, kind: 'blobs' | 'trees' | 'packs', ids: readonly string[]): Wanted {
  const type: BlobType | undefined = kind === 'packs' ? undefined : kind === 'blobs' ? 'data' : 'tree';
  const named = (id: string): boolean =>
    ids.some((wanted) => id === wanted || (wanted.length === 8 && id.startsWith(wanted)));
  const locations: BlobLocation[] = [];
  for (const blob of index.all()) {
    if (type === undefined ? named(blob.pack) : blob.type === type && named(blob.id)) locations.push(blob);
  }
  if (kind === 'packs' && locations.length === 0)
    throw new HoldfastError('refused', `no index names the packs ${ids.join(', ')}`);
  const keys = new Set(locations.map((blob) => `${blob.type} ${blob.id}`));
  return { has: (blobType, id) => keys.has(`${blobType} ${id}`), locations };
}

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
  /** What was asked for of which no index knows. */
  readonly unknown: readonly string[];
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
    return { locations: blobs?.locations ?? [], unknown: blobs?.unknown ?? [] };
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

interface Wanted extends FindOutcome {
  readonly has: (type: BlobType, id: BlobId) => boolean;
}

/**
 * Of blobs and trees by their own IDs, whether the index knows them or not: it is for lost ones that somebody asks who
 * needs them. Of packs all that the index says is in them.
 */
function wantedBlobs({ index }: Repository, kind: 'blobs' | 'trees' | 'packs', ids: readonly string[]): Wanted {
  const asked = new Set(ids);
  const isAsked = (id: string): boolean => asked.has(id) || asked.has(id.slice(0, 8));
  const type: BlobType | undefined = kind === 'packs' ? undefined : kind === 'blobs' ? 'data' : 'tree';
  const idOf = (blob: BlobLocation): string => (kind === 'packs' ? blob.pack : blob.id);
  const locations: BlobLocation[] = [];
  for (const blob of index.all()) {
    if ((type === undefined || blob.type === type) && isAsked(idOf(blob))) locations.push(blob);
  }
  const known = new Set(locations.flatMap((blob) => [idOf(blob), idOf(blob).slice(0, 8)]));
  const unknown = ids.filter((id) => !known.has(id));
  if (type !== undefined) return { has: (blobType, id) => blobType === type && isAsked(id), locations, unknown };
  if (unknown.length > 0) throw new HoldfastError('refused', `no index names the packs ${unknown.join(', ')}`);
  const keys = new Set(locations.map((blob) => `${blob.type} ${blob.id}`));
  return { has: (blobType, id) => keys.has(`${blobType} ${id}`), locations, unknown };
}

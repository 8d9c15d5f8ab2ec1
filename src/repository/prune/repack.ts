import type { BlobId, FileId } from '../../bytes/ids.ts';
import { HoldfastError } from '../../errors/error.ts';
import type { Listener } from '../../events/events.ts';
import { blobsByPack } from '../by-pack.ts';
import { carryPacks } from '../carry.ts';
import type { BlobIndex, BlobType } from '../index.ts';
import type { PackedBlob } from '../pack.ts';
import type { Repository, WriterOptions } from '../repository.ts';
import type { Blobs } from '../blob-set.ts';

export interface RepackOptions {
  /** Rewritten, as far as needed. */
  readonly packs: ReadonlySet<FileId>;
  /** These, and packs that are about to go: a blob that stands elsewhere too needs no new place. */
  readonly going: ReadonlySet<FileId>;
  readonly used: Blobs;
  readonly writer: WriterOptions;
  readonly listener: Listener;
}

/** Stores what is used of the packs in new ones. All of it is durable and indexed when it resolves. */
export async function repack(repository: Repository, options: RepackOptions): Promise<void> {
  const { signal } = options.writer;
  const needed = neededBlobs(repository.index, options);
  await using writer = await repository.openWriter(options.writer);
  const packs = blobsByPack(repository.index, options.packs).map(
    ([pack, blobs]) => [pack, blobs.filter(needed)] as const,
  );
  const how = { writer, signal, options: { evenIfKnown: true }, onPack: progressOf(options) } as const;
  const [failure] = await carryPacks(repository, packs, how);
  if (failure) throw failure.error;
  await writer.flush();
}

/** Which blob of the packs must be stored anew: it is used, has no place that stays, and was not taken before. */
function neededBlobs(index: BlobIndex, { going, used }: RepackOptions): (blob: PackedBlob) => boolean {
  const taken = new Set<string>();
  return ({ type, id }) => {
    if (!used.has(type, id)) return false;
    const places = index.locations(type, id);
    if (places.some(({ pack }) => !going.has(pack))) return false;
    if (places.length === 1) return true;
    const before = taken.size;
    return taken.add(type + id).size > before;
  };
}

function progressOf({ packs, listener }: RepackOptions): () => void {
  let doneItems = 0;
  return () => {
    doneItems += 1;
    listener({ kind: 'progress', phase: 'rewriting packs', doneBytes: 0, doneItems, totalItems: packs.size });
  };
}

/** The last look before anything is removed: 'internal' unless every used blob has a place that stays. */
export function assertKept(index: BlobIndex, used: Blobs, going: ReadonlySet<FileId>): void {
  const stays = (type: BlobType, id: BlobId): boolean => index.locations(type, id).some(({ pack }) => !going.has(pack));
  for (const { type, id, pack } of index.all()) {
    if (!going.has(pack) || !used.has(type, id) || stays(type, id)) continue;
    throw new HoldfastError('internal', `the ${type} blob ${id} would be lost: nothing was removed`);
  }
}

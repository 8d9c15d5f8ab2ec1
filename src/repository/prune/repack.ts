import type { BlobId, FileId } from '../../bytes/ids.ts';
import { HoldfastError } from '../../errors/error.ts';
import type { Listener } from '../../events/events.ts';
import { blobsByPack } from '../by-pack.ts';
import { carryPacks } from '../carry.ts';
import type { BlobIndex, BlobType } from '../index.ts';
import type { PackedBlob } from '../pack.ts';
import type { Repository, WriterOptions } from '../repository.ts';
import type { Blobs } from '../blob-set.ts';
import { confirmNewPacks, packsOf } from './new-packs.ts';
import type { PrunePlan } from './plan.ts';

interface RepackOptions {
  /** Rewritten, as far as needed. */
  readonly packs: ReadonlySet<FileId>;
  /** These, and packs that are about to go: a blob that stands elsewhere too needs no new place. */
  readonly going: ReadonlySet<FileId>;
  readonly used: Blobs;
  readonly writer: WriterOptions;
  readonly listener: Listener;
}

/**
 * Stores anew what the plan says, and asks the storage for it. Resolves with all packs that may go then: what is used
 * of them stands in packs that stay.
 */
export async function makeDispensable(
  repository: Repository,
  plan: Pick<PrunePlan, 'remove' | 'repack' | 'forget'>,
  options: Omit<RepackOptions, 'packs' | 'going'>,
): Promise<ReadonlySet<FileId>> {
  const going = new Set([...plan.remove, ...plan.repack, ...plan.forget]);
  if (plan.repack.length > 0) {
    const known = packsOf(repository.index);
    await repack(repository, { ...options, going, packs: new Set(plan.repack) });
    await confirmNewPacks(repository, known, options.writer.signal);
  }
  assertKept(repository.index, options.used, going);
  return going;
}

/** Stores what is used of the packs in new ones. All of it is durable and indexed when it resolves. */
async function repack(repository: Repository, options: RepackOptions): Promise<void> {
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
function assertKept(index: BlobIndex, used: Blobs, going: ReadonlySet<FileId>): void {
  const stays = (type: BlobType, id: BlobId): boolean => index.locations(type, id).some(({ pack }) => !going.has(pack));
  for (const { type, id, pack } of index.all()) {
    if (!going.has(pack) || !used.has(type, id) || stays(type, id)) continue;
    throw new HoldfastError('internal', `the ${type} blob ${id} would be lost: nothing was removed`);
  }
}

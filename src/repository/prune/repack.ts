import type { BlobId, FileId } from '../../bytes/ids.ts';
import { HoldfastError, hasCode } from '../../errors/error.ts';
import type { Listener } from '../../events/events.ts';
import { TaskGroup } from '../../flow/task-group.ts';
import { BoundedQueue } from '../../flow/queue.ts';
import { openBlob } from '../blob.ts';
import { blobsByPack } from '../by-pack.ts';
import type { BlobIndex, BlobType } from '../index.ts';
import { keyOf } from '../layout.ts';
import type { PackedBlob } from '../pack.ts';
import type { Repository, WriterOptions } from '../repository.ts';
import { sessionOf } from '../session.ts';
import type { UsedBlobs } from './plan.ts';

/** Packs read at the same time. */
const concurrentPacks = 2;
/** Blobs that stand so near to each other are fetched in one read. */
const gapBytes = 256 * 1024;
const readBytes = 16 * 1024 * 1024;

export interface RepackOptions {
  /** Rewritten, as far as needed. */
  readonly packs: ReadonlySet<FileId>;
  /** These, and packs that are about to go: a blob that stands elsewhere too needs no new place. */
  readonly going: ReadonlySet<FileId>;
  readonly used: UsedBlobs;
  readonly writer: WriterOptions;
  readonly listener: Listener;
}

/** Stores what is used of the packs in new ones. All of it is durable and indexed when it resolves. */
export async function repack(repository: Repository, options: RepackOptions): Promise<void> {
  const needed = neededBlobs(repository.index, options);
  await using writer = await repository.openWriter(options.writer);
  await using group = new TaskGroup({ signal: options.writer.signal });
  const queue = new BoundedQueue<PackWork>(concurrentPacks, group.signal);
  const store = async (blobs: readonly PlainBlob[]): Promise<void> => {
    await writer.ready();
    await Promise.all(blobs.map(({ type, plaintext }) => writer.storeBlob(type, plaintext, { evenIfKnown: true })));
  };
  const progress = progressOf(options);
  group.run(async () => {
    for (const [pack, blobs] of blobsByPack(repository.index, options.packs)) {
      await queue.put({ pack, blobs: blobs.filter(needed) });
    }
    queue.close();
  });
  for (let reader = 0; reader < concurrentPacks; reader += 1) {
    group.run(async () => {
      for await (const work of queue) {
        await copyPack(repository, work, store);
        progress();
      }
    });
  }
  await group.wait();
  await writer.flush();
}

interface PackWork {
  readonly pack: FileId;
  readonly blobs: readonly PackedBlob[];
}

interface PlainBlob {
  readonly type: BlobType;
  readonly plaintext: Uint8Array;
}

type Store = (blobs: readonly PlainBlob[]) => Promise<void>;

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

async function copyPack(repository: Repository, { pack, blobs }: PackWork, store: Store): Promise<void> {
  const { storage, key } = sessionOf(repository);
  for (const group of nearBlobs(blobs)) {
    const bytes = await storage.get(keyOf('data', pack), { range: group });
    const plain: PlainBlob[] = [];
    for (const blob of group.blobs) {
      const at = blob.offset - group.offset;
      const sealed = bytes.subarray(at, at + blob.length);
      plain.push({ type: blob.type, plaintext: await opened(repository, blob, () => openBlob(key, blob, sealed)) });
    }
    await store(plain);
  }
}

/** A damaged copy may have a sound one elsewhere. */
async function opened(repository: Repository, { type, id }: PackedBlob, open: () => Uint8Array): Promise<Uint8Array> {
  try {
    return open();
  } catch (error) {
    if (!hasCode(error, 'damaged')) throw error;
    return repository.readBlob(type, id);
  }
}

interface NearBlobs {
  readonly offset: number;
  readonly length: number;
  readonly blobs: readonly PackedBlob[];
}

function* nearBlobs(blobs: readonly PackedBlob[]): Generator<NearBlobs, void, void> {
  let group: PackedBlob[] = [];
  for (const blob of blobs) {
    const [first, last] = [group[0], group.at(-1)];
    const gap = last ? blob.offset - last.offset - last.length : 0;
    const length = first ? blob.offset + blob.length - first.offset : 0;
    if (gap > gapBytes || length > readBytes) {
      yield spanOf(group);
      group = [];
    }
    group.push(blob);
  }
  if (group.length > 0) yield spanOf(group);
}

function spanOf(blobs: readonly PackedBlob[]): NearBlobs {
  const offset = blobs[0]?.offset ?? 0;
  const end = blobs.reduce((most, blob) => Math.max(most, blob.offset + blob.length), offset);
  return { offset, length: end - offset, blobs };
}

/** The last look before anything is removed: 'internal' unless every used blob has a place that stays. */
export function assertKept(index: BlobIndex, used: UsedBlobs, going: ReadonlySet<FileId>): void {
  const stays = (type: BlobType, id: BlobId): boolean => index.locations(type, id).some(({ pack }) => !going.has(pack));
  for (const { type, id, pack } of index.all()) {
    if (!going.has(pack) || !used.has(type, id) || stays(type, id)) continue;
    throw new HoldfastError('internal', `the ${type} blob ${id} would be lost: nothing was removed`);
  }
}

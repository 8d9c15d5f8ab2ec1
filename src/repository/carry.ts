import type { BlobId, FileId } from '../bytes/ids.ts';
import { BoundedQueue } from '../flow/queue.ts';
import { TaskGroup } from '../flow/task-group.ts';
import { blobsByPack } from './by-pack.ts';
import type { BlobIndex, BlobType } from './index.ts';
import type { PackedBlob } from './pack.ts';
import type { BlobWriter, CarryFailure, Repository, StoreAnyway } from './repository.ts';

/** Packs at the same time: enough to cover a network's delay. */
const concurrentPacks = 4;

interface CarryOptions {
  readonly writer: BlobWriter;
  readonly signal: AbortSignal;
  readonly options?: StoreAnyway;
  /** Told of each pack that is done, with the blobs wanted of it. */
  readonly onPack: (blobs: readonly PackedBlob[]) => void;
}

/** Hands blobs over to a writer, pack by pack. Durable once that is flushed. Resolves with those that can't be had. */
export async function carryPacks(
  from: Repository,
  packs: Iterable<readonly [FileId, readonly PackedBlob[]]>,
  { writer, signal, options, onPack }: CarryOptions,
): Promise<readonly CarryFailure[]> {
  const failures: CarryFailure[] = [];
  await using group = new TaskGroup({ signal });
  const queue = new BoundedQueue<readonly [FileId, readonly PackedBlob[]]>(1, group.signal);
  group.run(async () => {
    for (const work of packs) await queue.put(work);
    queue.close();
  });
  for (let carrier = 0; carrier < concurrentPacks; carrier += 1) {
    group.run(async () => {
      for await (const [pack, blobs] of queue) {
        await writer.ready();
        for (const failure of await writer.carry(from, pack, blobs, options)) failures.push(failure);
        onPack(blobs);
      }
    });
  }
  await group.wait();
  return failures;
}

/** Which blobs are meant. */
interface WantedBlobs {
  has(type: BlobType, id: BlobId): boolean;
}

/** Hands what is wanted of a repository over to a writer of another. */
export async function copyBlobs(
  from: Repository,
  wanted: WantedBlobs,
  options: CarryOptions,
): Promise<readonly CarryFailure[]> {
  return await carryPacks(from, freight(from.index, wanted), options);
}

/** Of a blob that stands in several packs one place counts. */
function* freight(index: BlobIndex, wanted: WantedBlobs): Generator<readonly [FileId, readonly PackedBlob[]]> {
  const isMeant = (pack: FileId, { type, id, offset }: PackedBlob): boolean => {
    if (!wanted.has(type, id)) return false;
    const place = index.locate(type, id);
    return place?.pack === pack && place.offset === offset;
  };
  const packs = new Set<FileId>();
  for (const blob of index.all()) if (isMeant(blob.pack, blob)) packs.add(blob.pack);
  for (const [pack, blobs] of blobsByPack(index, packs)) yield [pack, blobs.filter((blob) => isMeant(pack, blob))];
}

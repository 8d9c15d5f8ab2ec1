import type { FileId } from '../../bytes/ids.ts';
import { hasCode } from '../../errors/error.ts';
import type { Listener } from '../../events/events.ts';
import { BoundedQueue } from '../../flow/queue.ts';
import { TaskGroup } from '../../flow/task-group.ts';
import { blobsByPack } from '../by-pack.ts';
import { keyOf } from '../layout.ts';
import type { ReadRange } from '../pack.ts';
import type { Repository } from '../repository.ts';
import { sessionOf } from '../session.ts';
import { checkPackData, type PackFinding, type PackToCheck } from './pack-data.ts';

/** Packs read at the same time, each taking up to 32 MiB. */
const concurrentPacks = 3;

export interface ReadPacksOptions {
  /** Packs with their actual sizes. */
  readonly selected: ReadonlyMap<FileId, number>;
  readonly take: (finding: PackFinding) => void;
  readonly listener: Listener;
  readonly signal: AbortSignal;
}

/** Reads and checks every byte of the packs selected. */
export async function readPacks(repository: Repository, options: ReadPacksOptions): Promise<void> {
  const { selected, take } = options;
  const progress = progressOf(options);
  await using group = new TaskGroup({ signal: options.signal });
  const queue = new BoundedQueue<PackToCheck>(concurrentPacks, group.signal);
  group.run(async () => {
    for (const [id, blobs] of blobsByPack(repository.index, new Set(selected.keys()))) {
      await queue.put({ id, blobs, sizeBytes: selected.get(id) ?? 0 });
    }
    queue.close();
  });
  for (let reader = 0; reader < concurrentPacks; reader += 1) {
    group.run(async (signal) => {
      for await (const pack of queue) {
        for (const finding of await readTwice(repository, pack, signal)) take(finding);
        progress(pack.sizeBytes);
      }
    });
  }
  await group.wait();
}

function progressOf({ selected, listener }: ReadPacksOptions): (bytes: number) => void {
  const totalBytes = selected.values().reduce((sum, sizeBytes) => sum + sizeBytes, 0);
  const totalItems = selected.size;
  let [doneItems, doneBytes] = [0, 0];
  return (bytes) => {
    doneItems += 1;
    doneBytes += bytes;
    listener({ kind: 'progress', phase: 'reading packs', doneBytes, totalBytes, doneItems, totalItems });
  };
}

/** A pack that is found wrong is read once more: an error that passes is another kind of trouble. */
async function readTwice(
  repository: Repository,
  pack: PackToCheck,
  signal: AbortSignal,
): Promise<readonly PackFinding[]> {
  const first = await readOnce(repository, pack, signal);
  if (first.length === 0) return first;
  const second = await readOnce(repository, pack, signal);
  if (second.length > 0) return second;
  const earlier = first.map((finding) => finding.message).join('; ');
  const message = `pack ${pack.id} was right when it was read a second time, after: ${earlier}`;
  return [{ severity: 'error', code: 'pack-unsteady', pack: pack.id, message }];
}

async function readOnce(
  repository: Repository,
  pack: PackToCheck,
  signal: AbortSignal,
): Promise<readonly PackFinding[]> {
  const { storage, key } = sessionOf(repository);
  const name = keyOf('data', pack.id);
  const read: ReadRange = (offset, length) => storage.get(name, { range: { offset, length }, signal });
  try {
    return await checkPackData(key, pack, read);
  } catch (error) {
    if (!hasCode(error, 'storage-not-found', 'storage-failed', 'storage-timeout', 'storage-denied')) throw error;
    const message = `pack ${pack.id} can't be read: ${error.message}`;
    return [{ severity: 'error', code: 'pack-unreadable', pack: pack.id, message }];
  }
}

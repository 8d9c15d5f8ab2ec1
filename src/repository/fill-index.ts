import { release } from '../bytes/release.ts';
import { HoldfastError } from '../errors/error.ts';
import type { Listener } from '../events/events.ts';
import { TaskGroup } from '../flow/task-group.ts';
import type { FileId } from '../bytes/ids.ts';
import { decodeIndexFile, indexedPacks, type IndexFile, type IndexedPack } from './index-file.ts';
import { shortName } from './layout.ts';
import type { LoadIndexOptions, Repository } from './repository.ts';

/** Index files read at the same time: each may take tens of MiB once decompressed. */
const concurrentReads = 4;

/** Reads every index file that is listed; `take` gets each as it comes, in no order, and keeps no view of it. */
async function readIndexes(
  repository: Repository,
  listener: Listener,
  take: (id: FileId, plaintext: Uint8Array | Error) => void,
): Promise<void> {
  const ids = await Array.fromAsync(repository.list('index'), ({ id }) => id);
  await using group = new TaskGroup({ limit: concurrentReads });
  let doneItems = 0;
  for (const id of ids) {
    group.run(async () => {
      const plaintext = await repository.readFile('index', id).catch(asError);
      take(id, plaintext);
      if (!(plaintext instanceof Error)) release(plaintext);
      doneItems += 1;
      listener({ kind: 'progress', phase: 'loading the index', doneBytes: 0, doneItems, totalItems: ids.length });
    });
  }
  await group.wait();
}

export async function readIndex(repository: Repository, id: FileId): Promise<IndexFile> {
  return decodeIndexFile(await repository.readFile('index', id), shortName('index', id));
}

function asError(error: unknown): Error {
  if (error instanceof Error) return error;
  throw error;
}

interface IndexToFill {
  addPack(id: FileId, blobs: IndexedPack['blobs']): void;
}

/** Adds what all index files name. The packs that hold trees. */
export async function fillIndex(
  repository: Repository,
  target: IndexToFill,
  listener: Listener,
  { onUnreadable, onRead }: LoadIndexOptions,
): Promise<ReadonlySet<FileId>> {
  const treePacks = new Set<FileId>();
  await readIndexes(repository, listener, (id, plaintext) => {
    try {
      for (const pack of packsIn(id, plaintext, onRead)) {
        target.addPack(pack.id, pack.blobs);
        if (pack.blobs.some(({ type }) => type === 'tree')) treePacks.add(pack.id);
      }
    } catch (error) {
      if (onUnreadable === undefined || !(error instanceof HoldfastError)) throw error;
      onUnreadable(id, error);
    }
  });
  return treePacks;
}

/** Where nobody wants to know more of a file than its packs, they come one by one. */
function packsIn(id: FileId, plaintext: Uint8Array | Error, onRead: LoadIndexOptions['onRead']): Iterable<IndexedPack> {
  if (plaintext instanceof Error) throw plaintext;
  const name = shortName('index', id);
  if (onRead === undefined) return indexedPacks(plaintext, name);
  const file = decodeIndexFile(plaintext, name);
  onRead(id, file);
  return file.packs;
}

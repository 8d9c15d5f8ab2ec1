import type { Listener } from '../events/events.ts';
import { TaskGroup } from '../flow/task-group.ts';
import type { FileId } from '../bytes/ids.ts';
import { decodeIndexFile, type IndexFile, type IndexedPack } from './index-file.ts';
import { shortName } from './layout.ts';
import type { LoadIndexOptions, Repository } from './repository.ts';

/** Index files read at the same time: each may take tens of MiB once decompressed. */
const concurrentReads = 4;

/** What an index file was found to hold, or why it could not be read. */
export interface ReadIndex {
  readonly id: FileId;
  readonly index: IndexFile | Error;
}

/** Reads every index file that is listed; `take` gets each as it comes, in no order. */
async function readIndexes(repository: Repository, listener: Listener, take: (read: ReadIndex) => void): Promise<void> {
  const ids = await Array.fromAsync(repository.list('index'), ({ id }) => id);
  await using group = new TaskGroup({ limit: concurrentReads });
  let doneItems = 0;
  for (const id of ids) {
    group.run(async () => {
      take({ id, index: await readIndex(repository, id).catch(asError) });
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
  await readIndexes(repository, listener, ({ id, index }) => {
    if (index instanceof Error) return onUnreadable ? onUnreadable(id, index) : raise(index);
    onRead?.(id, index);
    for (const pack of index.packs) {
      target.addPack(pack.id, pack.blobs);
      if (pack.blobs.some(({ type }) => type === 'tree')) treePacks.add(pack.id);
    }
  });
  return treePacks;
}

function raise(error: Error): never {
  throw error;
}

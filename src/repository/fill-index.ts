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

interface Targets {
  readonly index: IndexToFill;
  /** Gets the packs that are on their way out, where that is asked for. */
  readonly outgoing: IndexToFill;
}

/** Adds what all index files name. The packs that hold trees. */
export async function fillIndex(
  repository: Repository,
  targets: Targets,
  listener: Listener,
  options: LoadIndexOptions,
): Promise<ReadonlySet<FileId>> {
  const { onUnreadable, outgoing } = options;
  const treePacks = new Set<FileId>();
  const take = ({ id, blobs }: IndexedPack, leaves: boolean): void => {
    const target = leaves && outgoing?.recovered?.has(id) !== true ? targets.outgoing : targets.index;
    target.addPack(id, blobs);
    if (blobs.some(({ type }) => type === 'tree')) treePacks.add(id);
  };
  await readIndexes(repository, listener, (id, plaintext) => {
    try {
      for (const { pack, marked } of packsIn(id, plaintext, options)) {
        take(pack, marked || outgoing?.packs.has(pack.id) === true);
      }
    } catch (error) {
      if (onUnreadable === undefined || !(error instanceof HoldfastError)) throw error;
      onUnreadable(id, error);
    }
  });
  for await (const pack of outgoing?.unnamed ?? []) take(pack, true);
  return treePacks;
}

interface NamedPack {
  readonly pack: IndexedPack;
  /** For deletion. */
  readonly marked: boolean;
}

/** Where nobody wants to know more of a file than its packs, they come one by one. */
function* packsIn(
  id: FileId,
  plaintext: Uint8Array | Error,
  { onRead, outgoing }: LoadIndexOptions,
): Generator<NamedPack, void, void> {
  if (plaintext instanceof Error) throw plaintext;
  const name = shortName('index', id);
  if (onRead === undefined && outgoing === undefined) {
    for (const pack of indexedPacks(plaintext, name)) yield { pack, marked: false };
    return;
  }
  const file = decodeIndexFile(plaintext, name);
  onRead?.(id, file);
  for (const pack of file.packs) yield { pack, marked: false };
  if (outgoing !== undefined) for (const pack of file.packsToDelete) yield { pack, marked: true };
}

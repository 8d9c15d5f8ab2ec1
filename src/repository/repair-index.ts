import type { FileId } from '../bytes/ids.ts';
import { open } from '../crypto/seal.ts';
import { hasCode } from '../errors/error.ts';
import type { Listener } from '../events/events.ts';
import { TaskGroup } from '../flow/task-group.ts';
import { blobsByPack } from './by-pack.ts';
import { PackRecords } from './check/structure.ts';
import type { IndexedPack } from './index-file.ts';
import { SharedIndex } from './index/shared-index.ts';
import { keyOf } from './layout.ts';
import { decodeHeader, readSealedHeader, type PackedBlob } from './pack.ts';
import type { Repository } from './repository.ts';
import { rewriteIndex } from './rewrite-index.ts';
import { assertChangeable, sessionOf } from './session.ts';

/** What a repair of the index is going to do: nothing else is done. Made under the exclusive lock. */
export interface RepairIndexPlan {
  /** Index files that are damaged: removed. */
  readonly unreadable: readonly FileId[];
  /** Packs that an index names and that are not there: forgotten. */
  readonly missing: readonly FileId[];
  /** Packs that are named by what their own headers say: how many blobs each. */
  readonly read: ReadonlyMap<FileId, number>;
  /** Packs whose headers can't be read. What an index says of them stays, for `repair packs` to salvage by it. */
  readonly torn: readonly TornPack[];
  /** Packs that index files name more than once: once afterwards. */
  readonly repeated: number;
  /** What the headers name. */
  readonly found: SharedIndex;
}

export interface TornPack {
  readonly pack: FileId;
  readonly problem: string;
  readonly indexed: boolean;
}

export interface RepairOptions {
  readonly listener: Listener;
  readonly signal: AbortSignal;
}

/** Headers read at the same time. */
const concurrentReads = 8;

/** Reads the index, lists packs, and reads the headers of those that the index doesn't describe rightly, or of all. */
export async function planIndexRepair(
  repository: Repository,
  which: 'wrong' | 'all',
  options: RepairOptions,
): Promise<RepairIndexPlan> {
  const direct = repository.direct();
  const unreadable: FileId[] = [];
  const records = new PackRecords();
  await direct.loadIndex(options.listener, {
    onRead: (id, file) => records.addIndex(id, file),
    onUnreadable: (id, error) => {
      if (!hasCode(error, 'damaged')) throw error;
      unreadable.push(id);
    },
  });
  await records.reportStored(direct, () => undefined);
  const repeated = [...records.repeated()];
  const doubtful = new Set(repeated.filter(({ contradicted }) => contradicted).map(({ pack }) => pack));
  const resized = new Map(records.resized());
  const present = new Map(records.present());
  const wrong = [...present].filter(([pack]) => which === 'all' || resized.has(pack) || doubtful.has(pack));
  const headers = await readHeaders(direct, [...wrong, ...records.unindexed], options);
  const torn = headers.torn.map((one) => ({ ...one, indexed: present.has(one.pack) }));
  return { unreadable, missing: [...records.missing()], ...headers, torn, repeated: repeated.length };
}

/** Whether the index says of every pack what it should, once. */
export function isSoundIndex({ unreadable, missing, read, repeated }: RepairIndexPlan): boolean {
  return unreadable.length + missing.length + read.size + repeated === 0;
}

type Headers = Pick<RepairIndexPlan, 'read' | 'found'> & { readonly torn: readonly Omit<TornPack, 'indexed'>[] };

async function readHeaders(
  repository: Repository,
  packs: readonly (readonly [FileId, number])[],
  { listener, signal }: RepairOptions,
): Promise<Headers> {
  const headers = {
    read: new Map<FileId, number>(),
    torn: new Array<Headers['torn'][number]>(),
    found: new SharedIndex(),
  };
  await using group = new TaskGroup({ limit: concurrentReads, signal });
  let doneItems = 0;
  for (const [pack, sizeBytes] of packs) {
    group.run(async () => {
      const blobs = await readHeader(repository, pack, sizeBytes, signal);
      if (typeof blobs === 'string') headers.torn.push({ pack, problem: blobs });
      else {
        headers.read.set(pack, blobs.length);
        headers.found.addPack(pack, blobs);
      }
      doneItems += 1;
      const phase = 'reading pack headers';
      listener({ kind: 'progress', phase, doneBytes: 0, doneItems, totalItems: packs.length });
    });
  }
  await group.wait();
  return headers;
}

/** What the pack itself says that it holds, or why it can't be read. */
export async function readHeader(
  repository: Repository,
  pack: FileId,
  sizeBytes: number,
  signal: AbortSignal,
): Promise<readonly PackedBlob[] | string> {
  const { storage, key } = sessionOf(repository);
  try {
    const { sealed, offset } = await readSealedHeader(sizeBytes, (at, length) =>
      storage.get(keyOf('data', pack), { range: { offset: at, length }, signal }),
    );
    return decodeHeader(open(key, sealed), offset);
  } catch (error) {
    if (hasCode(error, 'damaged', 'storage-not-found')) return error.message;
    throw error;
  }
}

/**
 * Does what the plan says: the new index first, then the old one goes. A crash in between leaves both, which name the
 * same packs.
 */
export async function executeIndexRepair(
  repository: Repository,
  plan: RepairIndexPlan,
  { signal }: RepairOptions,
): Promise<void> {
  assertChangeable(repository.config);
  if (isSoundIndex(plan)) return;
  const direct = repository.direct();
  const without = new Set([...plan.missing, ...plan.read.keys()]);
  signal.throwIfAborted();
  const { obsolete } = await rewriteIndex(
    direct,
    { without },
    {
      unreadable: new Set(plan.unreadable),
      added: packsIn(plan),
    },
  );
  for (const id of obsolete) await direct.removeFile('index', id);
}

function* packsIn({ found, read }: RepairIndexPlan): Generator<IndexedPack> {
  for (const [id, blobs] of blobsByPack(found, new Set(read.keys()))) yield { id, blobs, other: {} };
}

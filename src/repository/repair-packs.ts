import type { FileId } from '../bytes/ids.ts';
import { HoldfastError, hasCode } from '../errors/error.ts';
import type { Listener } from '../events/events.ts';
import { verifyBlob } from './blob.ts';
import { blobsByPack } from './by-pack.ts';
import { keyOf } from './layout.ts';
import type { PackedBlob } from './pack.ts';
import { confirmNewPacks, packsOf } from './prune/new-packs.ts';
import { removePacks } from './prune/remove-packs.ts';
import { readHeader } from './repair-index.ts';
import type { Repository, WriterOptions } from './repository.ts';
import { rewriteIndex } from './rewrite-index.ts';
import { assertChangeable, sessionOf } from './session.ts';

/** What a repair of packs is going to do: nothing else is done. Made under the exclusive lock, with the index loaded. */
export interface RepairPacksPlan {
  readonly packs: readonly PackRepair[];
}

export interface PackRepair {
  readonly pack: FileId;
  /** Undefined: it is not there. */
  readonly sizeBytes: number | undefined;
  /** Stored anew in other packs. */
  readonly intact: readonly PackedBlob[];
  readonly lost: readonly LostBlob[];
}

export interface LostBlob {
  readonly blob: PackedBlob;
  readonly problem: string;
  /** Another pack has it too: then nothing is lost. */
  readonly elsewhere: boolean;
}

/** Reads each blob that the index or the packs' own headers name. */
export async function planPackRepair(
  repository: Repository,
  ids: ReadonlySet<FileId>,
  { listener, signal }: { readonly listener: Listener; readonly signal: AbortSignal },
): Promise<RepairPacksPlan> {
  const indexed = new Map(blobsByPack(repository.index, ids));
  const packs: PackRepair[] = [];
  for (const pack of ids) {
    const sizeBytes = await sizeOf(repository, pack);
    const header = sizeBytes === undefined ? '' : await readHeader(repository, pack, sizeBytes, signal);
    const blobs = united(indexed.get(pack) ?? [], typeof header === 'string' ? [] : header);
    const [intact, lost]: [PackedBlob[], LostBlob[]] = [[], []];
    for (const blob of blobs) {
      const problem = await problemOf(repository, pack, blob, signal);
      if (problem === undefined) intact.push(blob);
      else lost.push({ blob, problem, elsewhere: stands(repository, blob, ids) });
    }
    packs.push({ pack, sizeBytes, intact, lost });
    const done = { doneBytes: 0, doneItems: packs.length, totalItems: ids.size };
    listener({ kind: 'progress', phase: 'reading packs', ...done });
  }
  return { packs };
}

async function sizeOf({ storage }: Repository, pack: FileId): Promise<number | undefined> {
  try {
    return (await storage.stat(keyOf('data', pack))).sizeBytes;
  } catch (error) {
    if (hasCode(error, 'storage-not-found')) return undefined;
    throw error;
  }
}

function united(indexed: readonly PackedBlob[], header: readonly PackedBlob[]): readonly PackedBlob[] {
  const known = new Set(indexed.map(({ id, offset }) => `${id} ${offset}`));
  return [...indexed, ...header.filter(({ id, offset }) => !known.has(`${id} ${offset}`))];
}

/** Asked once more before it counts as lost: the way that it took may be at fault. */
async function problemOf(...asked: Parameters<typeof problemNow>): Promise<string | undefined> {
  const problem = await problemNow(...asked);
  return problem === undefined ? undefined : await problemNow(...asked);
}

/** undefined when it is what its ID says. What the storage can't read at all is lost as well. */
async function problemNow(
  repository: Repository,
  pack: FileId,
  blob: PackedBlob,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { storage, key } = sessionOf(repository);
  const { offset, length } = blob;
  try {
    verifyBlob(key, blob, await storage.get(keyOf('data', pack), { range: { offset, length }, signal }));
    return undefined;
  } catch (error) {
    if (hasCode(error, 'damaged', 'storage-not-found', 'storage-failed')) return error.message;
    throw error;
  }
}

function stands({ index }: Repository, { type, id }: PackedBlob, going: ReadonlySet<FileId>): boolean {
  return index.locations(type, id).some(({ pack }) => !going.has(pack));
}

/**
 * What is intact is stored anew and indexed; then the index forgets the packs; then they go. A crash in between leaves
 * blobs that stand twice, or packs that no index names.
 */
export async function executePackRepair(
  repository: Repository,
  { packs }: RepairPacksPlan,
  { writer: options, listener }: { readonly writer: WriterOptions; readonly listener: Listener },
): Promise<void> {
  assertChangeable(repository.config);
  const { signal } = options;
  const going = new Set(packs.map(({ pack }) => pack));
  const known = packsOf(repository.index);
  await using writer = await repository.openWriter(options);
  for (const { pack, intact } of packs) {
    await writer.ready();
    const [failure] = await writer.carry(repository, pack, intact, { evenIfKnown: true });
    if (failure) throw failure.error;
  }
  await writer.flush();
  await confirmNewPacks(repository, known, signal);
  for (const blob of packs.flatMap(({ intact }) => intact)) {
    if (stands(repository, blob, going)) continue;
    throw new HoldfastError('internal', `the ${blob.type} blob ${blob.id} would be lost: nothing was removed`);
  }
  const { obsolete } = await rewriteIndex(repository, { without: going });
  for (const id of obsolete) await repository.removeFile('index', id);
  const there = packs.flatMap(({ pack, sizeBytes }) => (sizeBytes === undefined ? [] : [pack]));
  await removePacks(repository, there, { listener, signal });
}

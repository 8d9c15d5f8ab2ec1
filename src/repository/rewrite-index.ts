import { createHash } from 'node:crypto';
import { fieldsExcept } from '../bytes/fields.ts';
import type { FileId } from '../bytes/ids.ts';
import { HoldfastError, hasCode } from '../errors/error.ts';
import { readIndex } from './fill-index.ts';
import { encodeIndexFile, type IndexFile, type IndexedPack } from './index-file.ts';
import type { Repository } from './repository.ts';

/** An index file is written when it names so many blobs. */
const fullBlobs = 50_000;
/** One that names more was not written by these rules, and is split. */
const oversizedBlobs = 2 * fullBlobs;

/** What a new index says otherwise than the old one. */
export interface IndexChanges {
  /** Named no more, not even as marked. */
  readonly without: ReadonlySet<FileId>;
  /** Marked for deletion from now on, as rustic marks packs: their blobs count as absent. */
  readonly mark?: { readonly packs: ReadonlySet<FileId>; readonly time: string };
  /** These count as present again: found among the marked ones, else in `from`. */
  readonly restore?: { readonly packs: ReadonlySet<FileId>; readonly from: AsyncIterable<IndexedPack> };
}

/** What takes the place of the index files that were read. */
export interface RewrittenIndex {
  readonly written: readonly FileId[];
  /** No longer needed, and still there. */
  readonly obsolete: readonly FileId[];
}

export interface IndexRepair {
  readonly unreadable: ReadonlySet<FileId>;
  readonly added: Iterable<IndexedPack>;
}

/** Tells packs of which two index files say the same. */
export function packSignature({ id, blobs }: IndexedPack): string {
  const hash = createHash('sha256').update(id);
  for (const { type, id: blob, offset, length, plainLength, compressed } of blobs.toSorted(
    (a, b) => a.offset - b.offset,
  )) {
    hash.update(`${type} ${blob} ${offset} ${length} ${plainLength} ${compressed}\n`);
  }
  return hash.digest('latin1');
}

/**
 * Writes the index anew, with these changes: durable and read back when it resolves. The old files are left for the caller to
 * remove, and until then name the same blobs twice, which harms nobody. Files that are full and have no part in the
 * changes stay. What rustic marked, and what it knows of packs, is carried over. `repair` names index files that
 * can't be read, and packs that are to be named in addition, also some of those in `without`.
 */
export async function rewriteIndex(
  repository: Repository,
  changes: IndexChanges,
  repair: IndexRepair = { unreadable: new Set(), added: [] },
): Promise<RewrittenIndex> {
  const written: FileId[] = [];
  const obsolete: FileId[] = [];
  const next = new NextIndex(changes);
  const write = async (files: Iterable<IndexFile>): Promise<void> => {
    for (const file of files) written.push(await writeProven(repository, encodeIndexFile(file)));
  };
  for (const id of await Array.fromAsync(repository.list('index'), (file) => file.id)) {
    const file = repair.unreadable.has(id) ? undefined : await readIndex(repository, id);
    if (file !== undefined && next.keeps(file)) continue;
    obsolete.push(id);
    if (file !== undefined) await write(next.take(file));
  }
  for (const pack of repair.added) await write(next.add(pack));
  for await (const pack of changes.restore?.from ?? []) await write(next.restore(pack));
  await write(next.rest());
  return { written, obsolete };
}

/** Others are going to be removed for it: so it is read back, and not from a cache. */
async function writeProven(repository: Repository, json: Uint8Array): Promise<FileId> {
  const id = await repository.writeFile('index', json);
  try {
    await repository.direct().readFile('index', id);
  } catch (cause) {
    if (!hasCode(cause, 'damaged', 'storage-not-found')) throw cause;
    await repository.removeFile('index', id);
    const message = `${repository.storage.url} does not give back an index as it was written: ${cause.message}`;
    throw new HoldfastError('storage-failed', message, { cause });
  }
  return id;
}

/** The same as `rewriteIndex` would write, for a storage without room for both: all of it in memory. */
export async function composeIndex(
  repository: Repository,
  without: ReadonlySet<FileId>,
): Promise<readonly Uint8Array[]> {
  const files: Uint8Array[] = [];
  const next = new NextIndex({ without });
  for (const id of await Array.fromAsync(repository.list('index'), (file) => file.id)) {
    for (const full of next.take(await readIndex(repository, id))) files.push(encodeIndexFile(full));
  }
  for (const file of next.rest()) files.push(encodeIndexFile(file));
  return files;
}

/** Gathers packs of old index files into new ones. */
class NextIndex {
  readonly #changes: IndexChanges;
  readonly #seen = new Set<string>();
  readonly #restored = new Set<FileId>();
  readonly #marking = new Set<FileId>();
  #packs: IndexedPack[] = [];
  #marked: IndexedPack[] = [];
  #blobs = 0;
  #other: IndexFile['other'] = {};

  constructor(changes: IndexChanges) {
    this.#changes = changes;
  }

  /** True when the file can stay as it is: then its packs count as seen. */
  keeps({ packs, packsToDelete }: IndexFile): boolean {
    const blobs = packs.reduce((sum, pack) => sum + pack.blobs.length, 0);
    if (blobs < fullBlobs || blobs >= oversizedBlobs) return false;
    const { without, mark, restore } = this.#changes;
    if (packs.some(({ id }) => without.has(id) || mark?.packs.has(id) === true)) return false;
    if (packsToDelete.some(({ id }) => without.has(id) || restore?.packs.has(id) === true)) return false;
    const signatures = packs.map(packSignature);
    if (signatures.some((signature) => this.#seen.has(signature))) return false;
    for (const signature of signatures) this.#seen.add(signature);
    return true;
  }

  /** Takes over what the file says; yields what has become full. */
  *take({ packs, packsToDelete, other }: IndexFile): Generator<IndexFile, void, void> {
    const { without, mark, restore } = this.#changes;
    this.#other = { ...other, ...this.#other };
    for (const pack of packsToDelete) {
      if (without.has(pack.id)) continue;
      if (restore?.packs.has(pack.id) === true) yield* this.restore(pack);
      else if (mark?.packs.has(pack.id) === true) yield* this.#mark(pack, mark.time);
      else yield* this.#add(this.#marked, pack);
    }
    for (const pack of packs) {
      if (without.has(pack.id)) continue;
      if (mark?.packs.has(pack.id) === true) yield* this.#mark(pack, mark.time);
      else if (this.#isNew(pack)) yield* this.#add(this.#packs, pack);
    }
  }

  /** Once, if it is to be restored at all. */
  *restore(pack: IndexedPack): Generator<IndexFile, void, void> {
    if (this.#changes.restore?.packs.has(pack.id) !== true || this.#restored.has(pack.id)) return;
    this.#restored.add(pack.id);
    const { id, blobs, other } = pack;
    if (this.#isNew(pack)) yield* this.#add(this.#packs, { id, blobs, other: fieldsExcept(other, 'time') });
  }

  *rest(): Generator<IndexFile, void, void> {
    if (this.#packs.length > 0 || this.#marked.length > 0) yield this.#file();
  }

  /** Once, whether it was marked before or not. */
  *#mark({ id, blobs, other }: IndexedPack, time: string): Generator<IndexFile, void, void> {
    if (this.#marking.has(id)) return;
    this.#marking.add(id);
    yield* this.#add(this.#marked, { id, blobs, other: { ...other, time } });
  }

  add(pack: IndexedPack): Generator<IndexFile, void, void> {
    return this.#add(this.#packs, pack);
  }

  *#add(list: IndexedPack[], pack: IndexedPack): Generator<IndexFile, void, void> {
    list.push(pack);
    this.#blobs += pack.blobs.length;
    if (this.#blobs >= fullBlobs) yield this.#file();
  }

  #isNew(pack: IndexedPack): boolean {
    const signature = packSignature(pack);
    if (this.#seen.has(signature)) return false;
    this.#seen.add(signature);
    return true;
  }

  /** Names of old index files, which `supersedes` holds, mean nothing in a new one. */
  #file(): IndexFile {
    const { supersedes: _, ...other } = this.#other;
    const file = { packs: this.#packs, packsToDelete: this.#marked, other };
    [this.#packs, this.#marked, this.#blobs] = [[], [], 0];
    return file;
  }
}

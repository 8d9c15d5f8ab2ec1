import { createHash } from 'node:crypto';
import type { FileId } from '../bytes/ids.ts';
import { readIndex } from './fill-index.ts';
import { encodeIndexFile, type IndexFile, type IndexedPack } from './index-file.ts';
import type { Repository } from './repository.ts';

/** An index file is written when it names so many blobs. */
const fullBlobs = 50_000;
/** One that names more was not written by these rules, and is split. */
const oversizedBlobs = 2 * fullBlobs;

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
 * Writes the index anew, without the packs in `without`: durable when it resolves. The old files are left for the
 * caller to remove, and until then name the same blobs twice, which harms nobody. Files that are full and have none
 * of these packs stay. What rustic marked, and what it knows of packs, is carried over. `repair` names index files that
 * can't be read, and packs that are to be named in addition, also some of those in `without`.
 */
export async function rewriteIndex(
  repository: Repository,
  without: ReadonlySet<FileId>,
  repair: IndexRepair = { unreadable: new Set(), added: [] },
): Promise<RewrittenIndex> {
  const written: FileId[] = [];
  const obsolete: FileId[] = [];
  const next = new NextIndex(without);
  const write = async (file: IndexFile): Promise<void> => {
    written.push(await repository.writeFile('index', encodeIndexFile(file)));
  };
  for (const id of await Array.fromAsync(repository.list('index'), (file) => file.id)) {
    const file = repair.unreadable.has(id) ? undefined : await readIndex(repository, id);
    if (file !== undefined && next.keeps(file)) continue;
    obsolete.push(id);
    if (file !== undefined) for (const full of next.take(file)) await write(full);
  }
  for (const pack of repair.added) for (const full of next.add(pack)) await write(full);
  const rest = next.rest();
  if (rest) await write(rest);
  return { written, obsolete };
}

/** The same as `rewriteIndex` would write, for a storage without room for both: all of it in memory. */
export async function composeIndex(
  repository: Repository,
  without: ReadonlySet<FileId>,
): Promise<readonly Uint8Array[]> {
  const files: Uint8Array[] = [];
  const next = new NextIndex(without);
  for (const id of await Array.fromAsync(repository.list('index'), (file) => file.id)) {
    for (const full of next.take(await readIndex(repository, id))) files.push(encodeIndexFile(full));
  }
  const rest = next.rest();
  return rest ? [...files, encodeIndexFile(rest)] : files;
}

/** Gathers packs of old index files into new ones. */
class NextIndex {
  readonly #without: ReadonlySet<FileId>;
  readonly #seen = new Set<string>();
  #packs: IndexedPack[] = [];
  #marked: IndexedPack[] = [];
  #blobs = 0;
  #other: IndexFile['other'] = {};

  constructor(without: ReadonlySet<FileId>) {
    this.#without = without;
  }

  /** True when the file can stay as it is: then its packs count as seen. */
  keeps({ packs, packsToDelete }: IndexFile): boolean {
    const blobs = packs.reduce((sum, pack) => sum + pack.blobs.length, 0);
    if (blobs < fullBlobs || blobs >= oversizedBlobs) return false;
    if ([...packs, ...packsToDelete].some(({ id }) => this.#without.has(id))) return false;
    const signatures = packs.map(packSignature);
    if (signatures.some((signature) => this.#seen.has(signature))) return false;
    for (const signature of signatures) this.#seen.add(signature);
    return true;
  }

  /** Takes over what the file says; yields what has become full. */
  *take({ packs, packsToDelete, other }: IndexFile): Generator<IndexFile, void, void> {
    this.#other = { ...other, ...this.#other };
    for (const pack of packsToDelete) if (!this.#without.has(pack.id)) this.#marked.push(pack);
    for (const pack of packs) {
      if (!this.#without.has(pack.id) && this.#isNew(pack)) yield* this.add(pack);
    }
  }

  *add(pack: IndexedPack): Generator<IndexFile, void, void> {
    this.#packs.push(pack);
    this.#blobs += pack.blobs.length;
    if (this.#blobs >= fullBlobs) yield this.#file();
  }

  rest(): IndexFile | undefined {
    return this.#packs.length === 0 && this.#marked.length === 0 ? undefined : this.#file();
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

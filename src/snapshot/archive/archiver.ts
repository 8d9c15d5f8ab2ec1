import { rawPathOfByteString, type BlobId, type RawPath } from '../../bytes/ids.ts';
import { HoldfastError, hasCode } from '../../errors/error.ts';
import { TaskGroup } from '../../flow/task-group.ts';
import type { Content } from '../../repository/content.ts';
import type { StoredContent } from '../../repository/repository.ts';
import type { ArchiveInput } from '../archive.ts';
import type { Entry, Metadata, TreeNode } from '../entry.ts';
import { sameNode } from '../same-node.ts';
import { addedByContent, addedByTree, nothingAdded, type Change } from './counts.ts';
import { TreeFinder } from './finder.ts';
import { Folder, type Slot } from './folder.ts';
import { Report } from './report.ts';
import { Trees } from './trees.ts';
import { isUnchanged } from './unchanged.ts';
import { Underway } from './underway.ts';

/** Trees that are being stored at a time: their JSON is in memory. */
const treesAtOnce = 64;
const rootPath = rawPathOfByteString('');

interface FileToStore {
  readonly entry: Entry;
  readonly name: RawPath;
  readonly previous: TreeNode | undefined;
}

/** Takes entries in and keeps the folders that are open, from the root to where the entries are. */
export class Archiver implements AsyncDisposable {
  readonly report: Report;
  readonly #input: ArchiveInput;
  readonly #tasks: TaskGroup;
  readonly #contents: Underway;
  #top: Folder | undefined;
  readonly #trees: Trees;
  #treesUnderway = 0;
  #treeStored = Promise.withResolvers<void>();
  #root: { readonly tree: BlobId; readonly isEmpty: boolean } | undefined;

  constructor(input: ArchiveInput) {
    this.#input = input;
    this.#tasks = new TaskGroup({ signal: input.signal });
    this.#contents = new Underway((error) => this.#tasks.run(() => Promise.reject(error)));
    this.#tasks.run(async () => await this.#contents.ended);
    this.report = new Report(input);
    this.#trees = new Trees(input);
  }

  /** Cancels what is not finished. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#contents.close();
    await this.#tasks[Symbol.asyncDispose]();
  }

  /** A promise only where something must be waited for: most of a million unchanged files need none. */
  take(entry: Entry): Promise<void> | undefined {
    this.#tasks.signal.throwIfAborted();
    const { path, metadata } = entry;
    if (metadata.type === 'dir') return this.#takeFolder(path, metadata);
    const slash = path.lastIndexOf('/');
    const folderPath = rawPathOfByteString(path.slice(0, Math.max(0, slash)));
    const name = rawPathOfByteString(path.slice(slash + 1));
    if (this.#top?.path === folderPath) return this.#leaf(this.#top, entry, name);
    return this.#enter(folderPath).then((folder) => this.#leaf(folder, entry, name));
  }

  async #takeFolder(path: RawPath, metadata: Metadata): Promise<void> {
    const folder = this.#top?.path === path ? this.#top : await this.#enter(path);
    await this.#close(folder, metadata);
  }

  /** Resolves when every content and tree is handed over to the writer. */
  async finish(): Promise<{ readonly tree: BlobId; readonly isEmpty: boolean }> {
    await this.#close(await this.#enter(rootPath), this.#plain());
    this.#contents.close();
    await this.#tasks.wait();
    if (this.#root === undefined) throw new HoldfastError('internal', 'the root has no tree');
    return this.#root;
  }

  /** Closes and opens folders until the one at `path` is on top. */
  async #enter(path: RawPath): Promise<Folder> {
    while (this.#top !== undefined && !isWithin(path, this.#top.path)) await this.#close(this.#top, this.#plain());
    let top = this.#top ?? (await this.#open(rootPath, undefined, undefined));
    while (top.path !== path) {
      const start = top.path === '' ? 0 : top.path.length + 1;
      const end = path.indexOf('/', start);
      const child = rawPathOfByteString(end < 0 ? path : path.slice(0, end));
      top = await this.#open(child, top, this.#find(top, rawPathOfByteString(child.slice(start))));
    }
    return top;
  }

  async #open(path: RawPath, parent: Folder | undefined, previous: TreeNode | undefined): Promise<Folder> {
    const tree = parent === undefined ? this.#input.parent : previous?.subtree;
    const json = tree === undefined ? undefined : await this.#loadTree(path, tree);
    const startedMs = this.#input.clock.monotonicMs();
    this.#top = new Folder({ path, parent, previous, finder: new TreeFinder(json), startedMs });
    return this.#top;
  }

  /** A tree of the parent snapshot that can't be read is as good as none: the files below are read again. */
  async #loadTree(path: RawPath, tree: BlobId): Promise<Uint8Array | undefined> {
    return await this.#trees.load(tree, ({ message }) =>
      this.report.leftOut(path, `the parent snapshot's tree ${tree.slice(0, 8)} can't be read: ${message}`),
    );
  }

  #find(folder: Folder, name: RawPath): TreeNode | undefined {
    try {
      return folder.finder.find(name);
    } catch (error) {
      this.#tellDamaged(folder, error);
      return undefined;
    }
  }

  #tellDamaged(folder: Folder, error: unknown): void {
    if (!hasCode(error, 'damaged')) throw error;
    this.report.warn(folder.path, `the parent snapshot is damaged here: ${error.message}`);
  }

  async #close(folder: Folder, metadata: Metadata): Promise<void> {
    this.#top = folder.parent;
    if (!folder.close(metadata)) this.report.leftOut(folder.path, outOfOrder);
    this.#completeIfDone(folder);
    while (this.#treesUnderway >= treesAtOnce) await this.#treeStored.promise;
  }

  #completeIfDone(folder: Folder): void {
    if (!folder.isComplete) return;
    this.#treesUnderway += 1;
    this.#tasks.run(async () => {
      try {
        await this.#complete(folder, folder.finish());
      } finally {
        this.#treesUnderway -= 1;
        this.#treeStored.resolve();
        this.#treeStored = Promise.withResolvers();
      }
    });
  }

  async #complete(folder: Folder, json: Uint8Array): Promise<void> {
    const stored = await this.#trees.store(json);
    const { place, previous, path } = folder;
    const node = folder.node(stored.id);
    this.report.folder(path, changeOf(previous, node), addedByTree(stored, json.length), folder.startedMs);
    if (place === undefined) this.#root = { tree: stored.id, isEmpty: folder.isEmpty };
    else this.#fill(place.parent, place.slot, node);
  }

  #leaf(folder: Folder, entry: Entry, name: RawPath): Promise<void> | undefined {
    const { path, metadata } = entry;
    if (!folder.follows(name)) this.report.leftOut(path, outOfOrder);
    else if (metadata.type !== 'file') folder.add({ ...metadata, name, content: null });
    else if (this.#takeOver(folder, entry, name)) {
      this.report.file(path, 'unmodified', metadata.sizeBytes, nothingAdded, 0);
    } else return this.#store(folder, { entry, name, previous: this.#find(folder, name) });
    return undefined;
  }

  /** False when the file must be read. */
  #takeOver(folder: Folder, entry: Entry, name: RawPath): boolean {
    const { detection } = this.#input;
    const { metadata, content } = entry;
    if (isReadAnyway(content) || detection.mode === 'read-all') return false;
    if (this.#asItStands(folder, name, metadata)) return true;
    const previous = this.#find(folder, name);
    if (previous === undefined || !this.#canTakeOver(entry, previous)) return false;
    folder.add({ ...metadata, name, content: previous.content });
    return true;
  }

  /** Most nodes of a second backup read as they did before: such a text is taken over without decoding it. */
  #asItStands(folder: Folder, name: RawPath, metadata: Metadata): boolean {
    try {
      const node = folder.finder.takeFile(name, () => folder.head(name, metadata), this.#isThere);
      if (node !== undefined) folder.add(node);
      return node !== undefined;
    } catch (error) {
      this.#tellDamaged(folder, error);
      return false;
    }
  }

  readonly #isThere = (id: BlobId): boolean => this.#input.repository.index.has('data', id);

  #canTakeOver({ path, metadata }: Entry, previous: TreeNode): boolean {
    if (!isUnchanged(metadata, previous, this.#input.detection)) return false;
    if (previous.content?.every(this.#isThere) ?? true) return true;
    this.report.warn(path, 'it has not changed, but parts of it are missing in the repository: it is stored again');
    return false;
  }

  #store(folder: Folder, file: FileToStore): Promise<void> | undefined {
    const { kind } = file.entry.content;
    const ready = kind === 'none' || kind === 'stored' ? undefined : this.#input.writer.ready();
    if (ready === undefined) return this.#begin(folder, file);
    return ready.then(() => this.#begin(folder, file));
  }

  /** A task of the group's for each file would cost more than the rest: one stands for all. */
  #begin(folder: Folder, file: FileToStore): undefined {
    const { path, metadata, content } = file.entry;
    const slot = folder.reserve(file.name);
    const startedMs = this.#input.clock.monotonicMs();
    this.report.started(path, metadata.sizeBytes);
    this.#contents.begin();
    this.#input.writer.store(content).then(
      (stored) => this.#contents.end(() => this.#fill(folder, slot, this.#stored(file, stored, startedMs))),
      (error: unknown) => this.#contents.end(() => this.#fill(folder, slot, this.#unread(file, error))),
    );
  }

  #stored({ entry, name, previous }: FileToStore, stored: StoredContent, startedMs: number): TreeNode {
    const { path, metadata } = entry;
    const node: TreeNode = { ...metadata, name, sizeBytes: stored.sizeBytes, content: stored.ids };
    this.report.file(path, changeOf(previous, node), node.sizeBytes, addedByContent(stored), startedMs);
    return node;
  }

  /** A file that can't be read is left out; any other failure is the archive's. */
  #unread({ entry }: FileToStore, error: unknown): null {
    if (isReadAnyway(entry.content) || !hasCode(error, 'source-failed')) throw error;
    this.report.leftOut(entry.path, error.message);
    return null;
  }

  #fill(folder: Folder, slot: Slot, node: TreeNode | null): void {
    folder.fill(slot, node);
    this.#completeIfDone(folder);
  }

  /** Of a folder that no entry describes. */
  #plain(): Metadata {
    const { timeNs } = this.#input;
    return {
      type: 'dir',
      mode: plainMode,
      mtimeNs: timeNs,
      atimeNs: timeNs,
      ctimeNs: timeNs,
      uid: 0,
      gid: 0,
      user: '',
      group: '',
      inode: 0n,
      deviceId: 0n,
      sizeBytes: 0,
      links: 0n,
    };
  }
}

/** What came with its entry is what is to be stored, whatever the metadata say. */
function isReadAnyway({ kind }: Content): boolean {
  return kind === 'stream' || kind === 'bytes' || kind === 'stored';
}

const outOfOrder = 'it is listed twice or out of order; what came first is kept';
/** Go's FileMode of a directory that all may read. */
const plainMode = 2 ** 31 + 0o755;

function isWithin(path: RawPath, folder: RawPath): boolean {
  return folder === '' || path === folder || path.startsWith(`${folder}/`);
}

function changeOf(previous: TreeNode | undefined, node: TreeNode): Change {
  if (previous === undefined) return 'new';
  return sameNode(previous, node) ? 'unmodified' : 'changed';
}

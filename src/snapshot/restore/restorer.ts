import { displayPath, type BlobId, type RawPath, rawPathOf } from '../../bytes/ids.ts';
import { HoldfastError } from '../../errors/error.ts';
import { TaskGroup } from '../../flow/task-group.ts';
import { Directory } from '../../host/directory.ts';
import { makeFolders } from '../../host/make-folders.ts';
import { errorCode, reasonOf } from '../../host/system-error.ts';
import type { BlobReader } from '../../repository/repository.ts';
import type { TreeNode } from '../entry.ts';
import type { RestoreOutcome, RestoreRequest, Selection } from '../restore.ts';
import { decodeTree } from '../tree.ts';
import { deepest, nestedTooDeep } from '../walk.ts';
import { removeAt } from './clear-way.ts';
import { below } from './below.ts';
import type { RestoreContext } from './context.ts';
import { growthOf, removeExtras } from './beforehand.ts';
import { FileRestorer } from './file-restorer.ts';
import { FileWriter } from './file-writer.ts';
import { Folder } from './folder.ts';
import { DiskFull, fullFolder, TargetFailed } from './full-disk.ts';
import { MetadataRestorer } from './metadata.ts';
import { restoreSpecial } from './special.ts';
import { Tally } from './tally.ts';
import { verifyFolder } from './verifier.ts';

/** One run of `restoreTree`. */
export class Restorer {
  readonly #context: RestoreContext;

  constructor(request: RestoreRequest) {
    const ended = new AbortController();
    const signal = AbortSignal.any([request.signal, ended.signal]);
    const tally: Tally = new Tally(request.listener, signal, (location, error) => {
      const full = fullFolder(request.target, location, error);
      if (full !== undefined) ended.abort(new DiskFull(full, error));
    });
    this.#context = {
      ...request,
      signal,
      tally,
      metadata: new MetadataRestorer(request.options.selectXattr, tally),
      isDryRun: request.options.mode === 'dry-run',
      clearing: request.options.extras === 'keep' ? 'one' : 'all',
      untouched: new Set(),
    };
  }

  async run(): Promise<RestoreOutcome> {
    const { repository, signal, reader } = this.#context;
    if (reader !== undefined) return await this.#runBy(reader);
    await using own = await repository.openReader({ signal });
    return await this.#runBy(own);
  }

  async #runBy(reader: BlobReader): Promise<RestoreOutcome> {
    const { signal, tree } = this.#context;
    await using tasks = new TaskGroup({ signal });
    const writer = new FileWriter(reader, tasks, (what) => this.#context.tally.lost(what));
    const root = this.#openTarget();
    try {
      if (this.#context.options.extras === 'delete first') await removeExtras(this.#context, root, tree);
      await this.#fillFolder(root, tree, new FileRestorer(this.#context, writer));
    } catch (error) {
      writer.abandon(error);
      throw error;
    } finally {
      root.release();
    }
    await writer.flush();
    await tasks.wait();
    signal.throwIfAborted();
    const verifiedFiles = this.#context.options.verify === 'read-back' ? await this.#verify() : undefined;
    return { ...this.#context.tally.outcome, ...(verifiedFiles === undefined ? {} : { verifiedFiles }) };
  }

  /** Of the target, in a dry run. */
  async growth(): Promise<number> {
    const root = this.#openTarget();
    try {
      return await growthOf(this.#context, root, this.#context.tree);
    } finally {
      root.release();
    }
  }

  async #verify(): Promise<number> {
    const root = targetFolder(Directory.open(this.#context.target), () => undefined);
    try {
      return await verifyFolder(this.#context, root, this.#context.tree);
    } finally {
      root.release();
    }
  }

  #openTarget(): Folder {
    const { target } = this.#context;
    const directory = this.#context.isDryRun ? openIfThere(target) : made(target);
    return targetFolder(directory, (folder) => this.#finishFolder(folder));
  }

  /** The walk. A node that fails is told and left behind; only an abort ends it. */
  async #fillFolder(folder: Folder, tree: BlobId, files: FileRestorer): Promise<void> {
    try {
      const json = await this.#context.repository.readBlob('tree', tree);
      for (const node of decodeTree(json)) {
        this.#context.signal.throwIfAborted();
        if (this.#context.options.extras !== 'keep') folder.expected.add(node.name);
        await this.#restoreNode(folder, node, files);
      }
    } catch (error) {
      // What the rest of the tree would have named is unknown: nothing in this folder may pass for an extra.
      folder.extrasAreKnown = false;
      this.#context.signal.throwIfAborted();
      this.#context.tally.failed(folder.location, error);
    }
  }

  async #restoreNode(folder: Folder, node: TreeNode, files: FileRestorer): Promise<void> {
    const location = below(folder.location, node.name);
    if (node.type === 'socket') return;
    const { selected, childrenMayBe } = this.#context.options.select(
      location,
      node.type === 'dir' ? 'directory' : 'other',
    );
    if (selected) this.#markWanted(folder);
    try {
      if (node.type === 'dir') await this.#restoreFolder(folder, node, { selected, childrenMayBe }, files);
      else if (selected && node.type === 'file') await files.restore(folder, node);
      else if (selected) restoreSpecial(this.#context, folder, node);
    } catch (error) {
      this.#context.signal.throwIfAborted();
      this.#context.tally.failed(location, error);
    }
  }

  /** A folder's own metadata is restored when it or something in it is. */
  #markWanted(folder: Folder): void {
    for (let at: Folder | undefined = folder; at !== undefined && !at.wanted; at = at.parent) {
      at.wanted = true;
      if (at.node !== undefined) this.#context.tally.found(0);
    }
  }

  async #restoreFolder(
    parent: Folder,
    node: TreeNode,
    { selected, childrenMayBe }: Selection,
    files: FileRestorer,
  ): Promise<void> {
    if (node.subtree === undefined) throw new HoldfastError('damaged', 'a folder without its tree');
    if (parent.depth >= deepest) throw nestedTooDeep();
    const folder = parent.child(node, (done) => this.#finishFolder(done));
    try {
      if (selected) {
        this.#context.tally.found(0);
        if (!this.#context.isDryRun) folder.open();
        folder.wanted = true;
      }
      if (childrenMayBe) await this.#fillFolder(folder, node.subtree, files);
    } finally {
      folder.release();
    }
  }

  /** Called once everything in the folder is done. */
  #finishFolder(folder: Folder): void {
    try {
      if (!folder.wanted) return;
      if (this.#context.options.extras !== 'keep') this.#deleteExtras(folder);
      if (folder.node === undefined) return;
      if (!this.#context.isDryRun) this.#context.metadata.applyToOpen(folder.open().fd, folder.node);
      this.#context.tally.done('restored', folder.location, 0);
    } catch (error) {
      this.#context.tally.failed(folder.location, error);
    }
  }

  #deleteExtras(folder: Folder): void {
    const directory = folder.openIfThere();
    if (directory === undefined || !folder.extrasAreKnown) return;
    for (const name of directory.names()) {
      const location = below(folder.location, name);
      if (folder.expected.has(name) || !this.#context.options.select(location, 'other').selected) continue;
      const tell = (path: RawPath): void => this.#context.tally.done('deleted', below(folder.location, path), 0);
      if (this.#context.isDryRun) tell(name);
      else removeAt(directory, name, 'all', tell);
    }
  }
}

function targetFolder(directory: Directory | undefined, onDone: (folder: Folder) => void): Folder {
  const origin = { name: rawPathOf(''), location: rawPathOf('/') };
  return new Folder(directory === undefined ? origin : { ...origin, directory }, onDone);
}

function made(target: RawPath): Directory {
  try {
    makeFolders(target, 0o700);
    return Directory.open(target);
  } catch (error) {
    throw cantMake(displayPath(target), error);
  }
}

function cantMake(folder: string, error: unknown): unknown {
  const code = errorCode(error);
  if (code === undefined) return error;
  if (code === 'ENOSPC' || code === 'EDQUOT') return new DiskFull(folder, error);
  return new TargetFailed('refused', `nothing can be restored to ${folder}: ${reasonOf(error)}`, { cause: error });
}

function openIfThere(target: RawPath): Directory | undefined {
  try {
    return Directory.open(target);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

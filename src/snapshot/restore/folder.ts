import type { RawPath } from '../../bytes/ids.ts';
import type { Directory } from '../../host/directory.ts';
import type { TreeNode } from '../entry.ts';
import { below } from './below.ts';
import { removeAt } from './clear-way.ts';

/**
 * A folder of the target while something in it is at work. It is opened, and made, when it is first needed. Whoever
 * works in it holds it; when the last one lets go, `onDone` sets its metadata, it is closed and its parent let go:
 * so a folder's times come after everything below it.
 */
export class Folder {
  readonly parent: Folder | undefined;
  readonly name: RawPath;
  readonly location: RawPath;
  /** 0 is the target. */
  readonly depth: number;
  /** Undefined for the target itself. */
  readonly node: TreeNode | undefined;
  /** Whether its own metadata is to be restored: it is selected, or something in it was restored. */
  wanted = false;
  /** False once the tree could not be read: then what it names is unknown. */
  extrasAreKnown = true;
  /** Names that the snapshot has here, where extras are to be deleted. */
  readonly expected = new Set<RawPath>();
  /** Made by this restore: nothing of the user's is in it. */
  isNew = false;
  #directory: Directory | undefined;
  #holders = 1;
  readonly #onDone: (folder: Folder) => void;

  constructor(origin: FolderOrigin, onDone: (folder: Folder) => void) {
    this.parent = origin.parent;
    this.name = origin.name;
    this.location = origin.location;
    this.depth = (origin.parent?.depth ?? -1) + 1;
    this.node = origin.node;
    this.#directory = origin.directory;
    this.#onDone = onDone;
    this.parent?.hold();
  }

  /** Opens it, after making it and its parents where they are missing. A link or a file in its place makes way. */
  open(): Directory {
    this.#directory ??= this.#openOrMake(this.#parentFolder().open());
    return this.#directory;
  }

  /** Opens it when it is there as a folder; makes nothing. */
  openIfThere(): Directory | undefined {
    if (this.#directory !== undefined || this.parent === undefined) return this.#directory;
    const above = this.parent.openIfThere();
    if (above?.lstatIfThere(this.name)?.isDirectory() !== true) return undefined;
    this.#directory = above.openDirectory(this.name);
    return this.#directory;
  }

  /** The folder of a node in here, with an `onDone` of its own. */
  child(node: TreeNode, onDone: (folder: Folder) => void = () => undefined): Folder {
    return new Folder({ parent: this, name: node.name, location: below(this.location, node.name), node }, onDone);
  }

  hold(): void {
    this.#holders++;
  }

  release(): void {
    if (--this.#holders > 0) return;
    this.#onDone(this);
    this.#directory?.[Symbol.dispose]();
    this.parent?.release();
  }

  #parentFolder(): Folder {
    if (this.parent === undefined) throw new Error('the target folder is open from the start');
    return this.parent;
  }

  #openOrMake(above: Directory): Directory {
    const stats = above.lstatIfThere(this.name);
    if (stats !== undefined && !stats.isDirectory()) removeAt(above, this.name, 'one', () => undefined);
    if (stats?.isDirectory() !== true) {
      above.makeDirectory(this.name);
      this.isNew = true;
    }
    return above.openDirectory(this.name);
  }
}

export interface FolderOrigin {
  readonly parent?: Folder;
  readonly name: RawPath;
  readonly location: RawPath;
  readonly node?: TreeNode;
  readonly directory?: Directory;
}

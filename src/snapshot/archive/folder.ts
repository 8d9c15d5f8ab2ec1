import { rawPathOfByteString, type BlobId, type RawPath } from '../../bytes/ids.ts';
import { HoldfastError } from '../../errors/error.ts';
import type { Metadata, TreeNode } from '../entry.ts';
import { TreeBuilder, type EncodedNode } from '../tree.ts';
import type { TreeFinder } from './finder.ts';

/** A place in a folder for a node that isn't known yet. */
export interface Slot {
  /** Undefined until filled; null when the node is left out. */
  node: TreeNode | EncodedNode | null | undefined;
}

export interface FolderStart {
  /** Inside the snapshot, '' for the root. */
  readonly path: RawPath;
  readonly parent: Folder | undefined;
  /** The same folder in the parent snapshot. */
  readonly previous: TreeNode | undefined;
  /** Finds what it held then. */
  readonly finder: TreeFinder;
  readonly startedMs: number;
}

/**
 * A folder that is being archived. Its nodes become known in any order, and enter the tree in the order in which
 * their places were taken.
 */
export class Folder {
  readonly path: RawPath;
  readonly parent: Folder | undefined;
  readonly previous: TreeNode | undefined;
  readonly finder: TreeFinder;
  readonly startedMs: number;
  readonly #name: RawPath;
  readonly #builder = new TreeBuilder();
  readonly #waiting: Slot[] = [];
  #firstWaiting = 0;
  #last: RawPath;
  #metadata: Metadata | undefined;
  #place: { readonly parent: Folder; readonly slot: Slot } | undefined;

  constructor({ path, parent, previous, finder, startedMs }: FolderStart) {
    this.path = path;
    this.parent = parent;
    this.previous = previous;
    this.finder = finder;
    this.startedMs = startedMs;
    this.#last = noName;
    this.#name = rawPathOfByteString(path.slice(path.lastIndexOf('/') + 1));
  }

  /** Where its own node will be; undefined for the root. */
  get place(): { readonly parent: Folder; readonly slot: Slot } | undefined {
    return this.#place;
  }

  get isEmpty(): boolean {
    return this.#builder.isEmpty;
  }

  /** True when no more nodes will come and all are in the tree. */
  get isComplete(): boolean {
    return this.#metadata !== undefined && this.#firstWaiting === this.#waiting.length;
  }

  /** Whether a node of this name may come next. */
  follows(name: RawPath): boolean {
    return name > this.#last;
  }

  /** How the JSON of a node begins: see TreeBuilder. */
  head(name: RawPath, metadata: Metadata): string {
    return this.#builder.head(name, metadata);
  }

  add(node: TreeNode | EncodedNode): void {
    this.#last = node.name;
    if (this.#firstWaiting === this.#waiting.length) this.#builder.add(node);
    else this.#waiting.push({ node });
  }

  /** Takes the next place, for a node that `fill` will bring. */
  reserve(name: RawPath): Slot {
    this.#last = name;
    const slot: Slot = { node: undefined };
    this.#waiting.push(slot);
    return slot;
  }

  /** null leaves the place empty. */
  fill(slot: Slot, node: TreeNode | null): void {
    slot.node = node;
    for (;;) {
      const next = this.#waiting[this.#firstWaiting];
      if (next?.node === undefined) break;
      if (next.node !== null) this.#builder.add(next.node);
      next.node = null;
      this.#firstWaiting += 1;
    }
    if (this.#firstWaiting === this.#waiting.length) this.#forgetPlaces();
  }

  /** No more nodes will come. False, and never complete, when its parent has no place for it. */
  close(metadata: Metadata): boolean {
    if (this.parent !== undefined) {
      if (!this.parent.follows(this.#name)) return false;
      this.#place = { parent: this.parent, slot: this.parent.reserve(this.#name) };
    }
    this.#metadata = metadata;
    return true;
  }

  /** The tree's JSON, once complete. */
  finish(): Uint8Array {
    return this.#builder.finish();
  }

  /** Its own node, once closed. */
  node(subtree: BlobId): TreeNode {
    if (this.#metadata === undefined) throw new HoldfastError('internal', 'a folder that is open has no node');
    return { ...this.#metadata, name: this.#name, content: null, subtree };
  }

  #forgetPlaces(): void {
    this.#waiting.length = 0;
    this.#firstWaiting = 0;
  }
}

const noName = rawPathOfByteString('');

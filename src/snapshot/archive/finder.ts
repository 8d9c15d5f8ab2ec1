import type { BlobId, RawPath } from '../../bytes/ids.ts';
import type { TreeNode } from '../entry.ts';
import { TreeReader, type EncodedNode } from '../tree.ts';

/** Looks names up in a tree of the parent snapshot, in ascending order, holding one node at a time. */
export class TreeFinder {
  readonly #reader: TreeReader | undefined;
  /** Read already, and not below what was looked for last. */
  #next: TreeNode | undefined;

  /** Without `json` nothing is found. */
  constructor(json: Uint8Array | undefined) {
    this.#reader = json === undefined ? undefined : new TreeReader(json);
  }

  /** `name` is greater than that of the call before. 'damaged' when the tree is; then nothing more is found. */
  find(name: RawPath): TreeNode | undefined {
    if (this.#next === undefined || this.#next.name < name) this.#next = this.#advance(name);
    return this.#next?.name === name ? this.#next : undefined;
  }

  /** As `find`, of a file that reads as it would now: `TreeReader.takeFile`. What it doesn't find `find` may. */
  takeFile(name: RawPath, head: () => string, isThere: (id: BlobId) => boolean): EncodedNode | undefined {
    if (this.#next !== undefined && this.#next.name >= name) return undefined;
    const taken = this.#reader?.takeFile(name, head(), isThere);
    if (taken !== undefined) this.#next = undefined;
    return taken;
  }

  #advance(name: RawPath): TreeNode | undefined {
    for (;;) {
      const node = this.#reader?.next();
      if (node === undefined || node.name >= name) return node;
    }
  }
}

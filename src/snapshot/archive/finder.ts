import type { RawPath } from '../../bytes/ids.ts';
import type { TreeNode } from '../entry.ts';
import { decodeTree } from '../tree.ts';

/** Looks names up in a tree of the parent snapshot, in ascending order, holding one node at a time. */
export class TreeFinder {
  readonly #nodes: Iterator<TreeNode, void>;
  #next: TreeNode | undefined;
  #started = false;

  /** Without `json` nothing is found. */
  constructor(json: Uint8Array | undefined) {
    this.#nodes = json === undefined ? [].values() : decodeTree(json);
  }

  /** `name` is greater than that of the call before. 'damaged' when the tree is; then nothing more is found. */
  find(name: RawPath): TreeNode | undefined {
    if (!this.#started) this.#next = this.#advance();
    while (this.#next !== undefined && this.#next.name < name) this.#next = this.#advance();
    return this.#next?.name === name ? this.#next : undefined;
  }

  #advance(): TreeNode | undefined {
    this.#started = true;
    const { value } = this.#nodes.next();
    return value ?? undefined;
  }
}

import { displayPath, rawPathOfByteString } from '../bytes/ids.ts';
import { localZone, type Zone } from '../clock/zone.ts';
import { HoldfastError } from '../errors/error.ts';
import type { TreeNode } from './entry.ts';
import { decodeNode } from './tree/decode-node.ts';
import { nodeElements } from './tree/elements.ts';
import { encodeNode } from './tree/encode-node.ts';

/**
 * The nodes of a tree blob, one by one. 'damaged' for what restic would never write: names that aren't plain or
 * not strictly ascending in byte order, wrong types. Memory: the node at hand.
 */
export function* decodeTree(json: Uint8Array): Generator<TreeNode> {
  let last = '';
  for (const element of nodeElements(json)) {
    const node = decodeNode(element);
    if (node.name <= last) throw notAscending(node.name, last);
    last = node.name;
    yield node;
  }
}

/** Builds a tree blob as restic does: `{"nodes":[…]}` and a newline. */
export class TreeBuilder {
  #bytes: Buffer;
  #length: number;
  #last = '';
  readonly #zone: Zone;

  /** `zone` is that in which times are written: restic takes the process's own. */
  constructor(zone: Zone = localZone()) {
    this.#zone = zone;
    this.#bytes = Buffer.allocUnsafe(4096);
    this.#length = this.#bytes.write(head, 'latin1');
  }

  get isEmpty(): boolean {
    return this.#last === '';
  }

  /** Of the node added last; '' before the first. */
  get lastName(): string {
    return this.#last;
  }

  /** Nodes come strictly ascending by name in byte order. */
  add(node: TreeNode): void {
    if (node.name <= this.#last) throw notAscending(node.name, this.#last);
    const json = encodeNode(node, this.#zone);
    this.#write(this.isEmpty ? json : `,${json}`);
    this.#last = node.name;
  }

  finish(): Uint8Array {
    this.#write(']}\n');
    return this.#bytes.subarray(0, this.#length);
  }

  #write(text: string): void {
    if (this.#length + text.length > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + text.length));
      this.#bytes.copy(grown, 0, 0, this.#length);
      this.#bytes = grown;
    }
    this.#length += this.#bytes.write(text, this.#length, 'latin1');
  }
}

const head = '{"nodes":[';

function notAscending(name: string, last: string): HoldfastError {
  const shown = [name, last].map((raw) => JSON.stringify(displayPath(rawPathOfByteString(raw))));
  return new HoldfastError('damaged', `a tree has the name ${shown[0]} after ${shown[1]}: not in order`);
}

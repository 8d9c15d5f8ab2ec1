import { displayPath, rawPathOfByteString, type BlobId, type RawPath } from '../bytes/ids.ts';
import { localZone, type Zone } from '../clock/zone.ts';
import { HoldfastError } from '../errors/error.ts';
import type { Metadata, TreeNode } from './entry.ts';
import { decodeNode } from './tree/decode-node.ts';
import { NodeElements } from './tree/elements.ts';
import { encodeHead, encodeNode } from './tree/encode-node.ts';
import { contentEnd } from './tree/encoded-content.ts';

/**
 * The nodes of a tree blob, one by one. 'damaged' for what restic would never write: names that aren't plain or
 * not strictly ascending in byte order, wrong types. Memory: the node at hand.
 */
export function* decodeTree(json: Uint8Array): Generator<TreeNode> {
  const reader = new TreeReader(json);
  for (let node = reader.next(); node !== undefined; node = reader.next()) yield node;
}

/** A node as it stands in a tree blob, one char a byte. */
export interface EncodedNode {
  readonly name: RawPath;
  readonly json: string;
}

/** Reads a tree blob node by node. */
export class TreeReader {
  readonly #elements: NodeElements;
  #last = '';
  #state: 'whole' | 'damaged' = 'whole';

  constructor(json: Uint8Array) {
    this.#elements = new NodeElements(json);
  }

  /** Undefined at the end, and for good once it threw 'damaged'. */
  next(): TreeNode | undefined {
    if (this.#state === 'damaged') return undefined;
    this.#state = 'damaged';
    const element = this.#elements.next();
    const node = element === undefined ? undefined : decodeNode(element);
    if (node !== undefined && node.name <= this.#last) throw notAscending(node.name, this.#last);
    this.#state = 'whole';
    if (node !== undefined) this.#last = node.name;
    return node;
  }

  /**
   * Takes the next node, undecoded, if it reads exactly as a file would that has this head (`TreeBuilder.head`), and
   * if `isThere` says so of each of its blobs.
   */
  takeFile(name: RawPath, head: string, isThere: (id: BlobId) => boolean): EncodedNode | undefined {
    if (this.#state === 'damaged' || name <= this.#last) return undefined;
    const ahead = this.#elements.lookAhead();
    if (!ahead?.text.startsWith(head, ahead.at)) return undefined;
    const end = contentEnd(ahead.text, ahead.at + head.length, isThere);
    if (end === undefined) return undefined;
    this.#elements.pass(end - ahead.at);
    this.#last = name;
    return { name, json: ahead.text.slice(ahead.at, end) };
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
  add(node: TreeNode | EncodedNode): void {
    if (node.name <= this.#last) throw notAscending(node.name, this.#last);
    if (!this.isEmpty) this.#write(',');
    this.#write('json' in node ? node.json : encodeNode(node, this.#zone));
    this.#last = node.name;
  }

  /** How the JSON of a node begins, all but its content. */
  head(name: RawPath, metadata: Metadata): string {
    return encodeHead(name, metadata, this.#zone);
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

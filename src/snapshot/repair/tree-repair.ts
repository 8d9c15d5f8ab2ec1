import { rawPathOfByteString, type BlobId, type RawPath } from '../../bytes/ids.ts';
import { utf8Bytes } from '../../bytes/utf8.ts';
import { blobIdFor } from '../../crypto/id.ts';
import type { ErrorCode } from '../../errors/codes.ts';
import { HoldfastError, hasCode } from '../../errors/error.ts';
import type { BlobIndex } from '../../repository/index.ts';
import type { Repository } from '../../repository/repository.ts';
import type { TreeNode } from '../entry.ts';
import { TreeBuilder, type EncodedNode } from '../tree.ts';
import { decodeNode } from '../tree/decode-node.ts';
import { NodeElements } from '../tree/elements.ts';

/** What a repaired snapshot no longer has, or has otherwise. */
export interface TreeChange {
  readonly path: RawPath;
  /**
   * 'file cut': pieces of the file are gone, the others stand one after the other · 'size fixed': it had another size
   * than its pieces · 'folder emptied': what was in it can't be read · 'folder cut': what follows in it can't be read ·
   * 'item removed': of a type that can't be restored.
   */
  readonly kind: 'file cut' | 'size fixed' | 'folder emptied' | 'folder cut' | 'item removed';
}

export interface RepairedTree {
  readonly tree: BlobId;
  readonly changes: readonly TreeChange[];
}

/** Only these say that something is gone; a storage that doesn't answer ends the repair. */
const lossCodes: readonly ErrorCode[] = ['damaged', 'blob-missing', 'storage-not-found'];

/** Deeper than any file system. */
const deepest = 2048;

/** Makes trees without what is lost. What nothing is lost of keeps its ID. */
export class TreeRepair {
  /** New trees, as they are to be stored. */
  readonly made = new Map<BlobId, Uint8Array>();
  readonly #repository: Pick<Repository, 'index' | 'readBlob'>;
  readonly #signal: AbortSignal;
  /** By the old ID; paths are relative. */
  readonly #done = new Map<BlobId, RepairedTree>();

  constructor(repository: Pick<Repository, 'index' | 'readBlob'>, signal: AbortSignal) {
    this.#repository = repository;
    this.#signal = signal;
  }

  /** undefined when the tree itself can't be read. */
  async repair(tree: BlobId, depth = 0): Promise<RepairedTree | undefined> {
    const known = this.#done.get(tree);
    if (known) return known;
    this.#signal.throwIfAborted();
    const json = await this.#read(tree);
    if (json === undefined || depth > deepest) return undefined;
    const { builder, changes } = await this.#rebuild(json, depth);
    const repaired = changes.length === 0 ? { tree, changes } : { tree: this.#keep(builder), changes };
    this.#done.set(tree, repaired);
    return repaired;
  }

  async #read(tree: BlobId): Promise<Uint8Array | undefined> {
    try {
      return await this.#repository.readBlob('tree', tree);
    } catch (error) {
      if (hasCode(error, ...lossCodes)) return undefined;
      throw error;
    }
  }

  #keep(builder: TreeBuilder): BlobId {
    const json = Uint8Array.from(builder.finish());
    const id = blobIdFor(json);
    this.made.set(id, json);
    return id;
  }

  async #rebuild(
    json: Uint8Array,
    depth: number,
  ): Promise<{ readonly builder: TreeBuilder; readonly changes: readonly TreeChange[] }> {
    const builder = new TreeBuilder();
    const changes: TreeChange[] = [];
    const elements = new NodeElements(json);
    for (;;) {
      const element = attempt(() => elements.next());
      if (element === undefined) return { builder, changes };
      const node = element === 'damaged' ? element : attempt(() => decodeNode(element));
      if (element === 'damaged' || node === undefined || node === 'damaged' || node.name <= builder.lastName) {
        return { builder, changes: [...changes, { path: rawPathOfByteString(''), kind: 'folder cut' }] };
      }
      const repaired = await this.#repairNode(node, utf8Bytes(element), depth);
      // One by one: there may be more than a call takes arguments.
      for (const { path, kind } of repaired.changes) changes.push({ path: joined(node.name, path), kind });
      if (repaired.node) builder.add(repaired.node);
    }
  }

  async #repairNode(node: TreeNode, json: string, depth: number): Promise<RepairedNode> {
    if (node.type === 'irregular') return { node: undefined, changes: [changed('item removed')] };
    if (node.type === 'file') return repairFile(this.#repository.index, node, json);
    if (node.type === 'dir') return this.#repairFolder(node, json, depth);
    return { node: { name: node.name, json }, changes: [] };
  }

  async #repairFolder(node: TreeNode, json: string, depth: number): Promise<RepairedNode> {
    const { name, subtree } = node;
    const repaired = subtree === undefined ? undefined : await this.repair(subtree, depth + 1);
    if (repaired === undefined) {
      const empty = { ...node, subtree: this.#keep(new TreeBuilder()) };
      return {
        node: subtree === undefined ? empty : withSubtree(name, json, subtree, empty.subtree),
        changes: [changed('folder emptied')],
      };
    }
    const { tree, changes } = repaired;
    return { node: withSubtree(name, json, subtree ?? tree, tree), changes };
  }
}

interface RepairedNode {
  /** undefined: left out. */
  readonly node: TreeNode | EncodedNode | undefined;
  /** Paths relative to the node. */
  readonly changes: readonly TreeChange[];
}

function changed(kind: TreeChange['kind']): TreeChange {
  return { path: rawPathOfByteString(''), kind };
}

function joined(name: RawPath, path: RawPath): RawPath {
  return path === '' ? name : rawPathOfByteString(`${name}/${path}`);
}

/** Only this member differs: the rest stays as whoever wrote it wrote it. */
function withSubtree(name: RawPath, json: string, from: BlobId, to: BlobId): EncodedNode {
  return { name, json: json.replace(`"subtree":"${from}"`, `"subtree":"${to}"`) };
}

/** Pieces that are gone are left out, as restic does. */
function repairFile(index: BlobIndex, node: TreeNode, json: string): RepairedNode {
  const content: BlobId[] = [];
  let sizeBytes = 0;
  for (const id of node.content ?? []) {
    const length = index.plainLength('data', id);
    if (length === undefined) continue;
    content.push(id);
    sizeBytes += length;
  }
  const isCut = content.length < (node.content?.length ?? 0);
  if (!isCut && sizeBytes === node.sizeBytes && node.content !== null) {
    return { node: { name: node.name, json }, changes: [] };
  }
  return { node: { ...node, content, sizeBytes }, changes: [changed(isCut ? 'file cut' : 'size fixed')] };
}

function attempt<Result>(step: () => Result): Result | 'damaged' {
  try {
    return step();
  } catch (error) {
    if (error instanceof HoldfastError && error.code === 'damaged') return 'damaged';
    throw error;
  }
}

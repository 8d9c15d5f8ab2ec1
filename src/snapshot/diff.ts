import { rawPathOfByteString, type BlobId, type RawPath } from '../bytes/ids.ts';
import { hasCode, type HoldfastError } from '../errors/error.ts';
import type { BlobIndex } from '../repository/index.ts';
import { DiffCount, type DiffStatistics } from './diff/count.ts';
import { pairs, type Pair } from './diff/pairs.ts';
import type { TreeNode } from './entry.ts';
import { sameContent, sameMetadata, sameNode } from './same-node.ts';
import { decodeTree } from './tree.ts';
import { ofOneTree, type TreeReader } from './walk.ts';

export type { DiffStatistics, DiffSide } from './diff/count.ts';

/** A difference; folders have a '/' behind their path. */
export interface Change {
  readonly kind: 'change';
  readonly path: RawPath;
  /**
   * As restic marks it: '+' added, '-' removed, or of those in both: T type, M content, U metadata, and '?' behind M
   * where nothing but the content differs, as when a disk loses bits.
   */
  readonly modifier: string;
}

/** A folder that couldn't be compared. */
export interface DiffFailure {
  readonly kind: 'failed';
  readonly path: RawPath;
  readonly error: HoldfastError;
}

export interface DiffOptions {
  readonly metadata: 'compared' | 'ignored';
  readonly signal?: AbortSignal;
}

export type DiffSource = TreeReader & { readonly index: BlobIndex };

/** Yields what differs from `before` to `after`, in the order of a walk, and returns the sums. */
export async function* diffTrees(
  source: DiffSource,
  before: BlobId,
  after: BlobId,
  options: DiffOptions,
): AsyncGenerator<Change | DiffFailure, DiffStatistics> {
  const count = new DiffCount(before, after);
  const first = await openFolder(source, '/', before, after);
  if (first.kind === 'failed') yield first;
  const open = first.kind === 'failed' ? [] : [first];
  for (let folder = open.at(-1); folder !== undefined; folder = open.at(-1)) {
    options.signal?.throwIfAborted();
    const pair = nextPair(folder);
    if (pair === undefined || pair.kind === 'failed') open.pop();
    if (pair?.kind === 'failed') yield pair;
    if (pair?.kind !== 'pair') continue;
    const change = compare(folder.path, pair, count, options);
    if (change !== undefined) yield change;
    const child = await enter(source, folder.path, pair, count);
    if (child?.kind === 'failed') yield child;
    else if (child !== undefined) open.push(child);
  }
  return count.statistics(source.index);
}

interface Folder {
  readonly kind: 'open';
  /** With a '/' behind. */
  readonly path: string;
  readonly pairs: Iterator<Pair, void>;
}

type Side = BlobId | undefined;

/** Either side may be missing. */
async function openFolder(reader: TreeReader, path: string, before: Side, after: Side): Promise<Folder | DiffFailure> {
  try {
    const [first, second] = await Promise.all([nodes(reader, before), nodes(reader, after)]);
    return { kind: 'open', path, pairs: pairs(first, second) };
  } catch (error) {
    return failure(path, error);
  }
}

async function nodes(reader: TreeReader, tree: Side): Promise<Iterator<TreeNode, void>> {
  return tree === undefined ? [].values() : decodeTree(await reader.readBlob('tree', tree));
}

function nextPair({ path, pairs: rest }: Folder): Pair | DiffFailure | undefined {
  try {
    return rest.next().value ?? undefined;
  } catch (error) {
    return failure(path, error);
  }
}

function failure(path: string, error: unknown): DiffFailure {
  if (!hasCode(error, ...ofOneTree)) throw error;
  return { kind: 'failed', path: rawPathOfByteString(path), error };
}

function compare(folder: string, { before, after }: Pair, count: DiffCount, options: DiffOptions): Change | undefined {
  if (before !== undefined) count.before.needs(before);
  if (after !== undefined) count.after.needs(after);
  if (before !== undefined && after !== undefined) {
    const modifier = modifierOf(before, after, options);
    if (modifier.includes('M')) count.changedFiles += 1;
    return modifier === '' ? undefined : { kind: 'change', path: itemPath(folder, after), modifier };
  }
  const [node, side, modifier] = before === undefined ? [after, count.after, '+'] : [before, count.before, '-'];
  if (node === undefined) return undefined;
  side.item(node);
  return { kind: 'change', path: itemPath(folder, node), modifier };
}

function modifierOf(before: TreeNode, after: TreeNode, { metadata }: DiffOptions): string {
  const type = before.type === after.type ? '' : 'T';
  const bothFiles = before.type === 'file' && after.type === 'file';
  if (bothFiles && !sameContent(before.content, after.content)) return sameMetadata(before, after) ? 'M?' : 'M';
  return metadata === 'compared' && !sameNode(before, after) ? `${type}U` : type;
}

function itemPath(folder: string, { name, type }: TreeNode): RawPath {
  return rawPathOfByteString(`${folder}${name}${type === 'dir' ? '/' : ''}`);
}

/** The folder to go on with; undefined when there is nothing to compare in it. */
async function enter(
  source: DiffSource,
  folder: string,
  pair: Pair,
  count: DiffCount,
): Promise<Folder | DiffFailure | undefined> {
  const { before, after } = pair;
  const node = after ?? before;
  if (node?.type !== 'dir' || (before !== undefined && before.type !== 'dir')) return undefined;
  const path = itemPath(folder, node);
  if (before?.subtree !== after?.subtree) return await openFolder(source, path, before?.subtree, after?.subtree);
  if (node.subtree !== undefined) await count.addCommon(source, node.subtree);
  return undefined;
}

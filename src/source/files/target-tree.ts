import { isAbsolutePath, joinPath, cleanPath, pathParts } from '../../bytes/unix-path.ts';
import { displayPath, type RawPath } from '../../bytes/ids.ts';
import { HoldfastError } from '../../errors/error.ts';

/**
 * How a snapshot of several targets looks, exactly as restic arranges it: an absolute target stands under its whole
 * path, a relative one under its own without leading '..'. Where two different folders would share a name at the
 * root, the later gets '-1', '-2' and so on.
 */
export interface TargetTree {
  readonly children: Map<RawPath, TargetTree>;
  /** A leaf: what is found here goes into the snapshot at this place. */
  path?: RawPath;
  /** Not itself a target: where the folder is whose attributes are recorded. */
  folder?: RawPath;
  /** Of a child of the root: the folder that the target starts from. */
  start?: RawPath;
  /** Named by the user, not found by listing: excludes don't apply to it. */
  explicit: boolean;
}

export interface Target {
  readonly path: RawPath;
  readonly explicit: boolean;
}

/** Lists a folder's names, in any order. */
export type ListNames = (folder: RawPath) => readonly RawPath[];

/** `list` is asked for targets without a name of their own ('.', '..', '/') and for targets inside others. */
export function targetTree(targets: readonly RawPath[], list: ListNames): TargetTree {
  const root = emptyTree();
  const seen = new Set<RawPath>();
  for (const { path, explicit } of targets.flatMap((target) => resolved(cleanPath(target), list))) {
    if (!seen.has(path)) add(root, path, explicit);
    seen.add(path);
  }
  unroll(root, list);
  return root;
}

/** '.' and its like stand for what they contain. */
function resolved(path: RawPath, list: ListNames): readonly Target[] {
  if (namedParts(path).length > 0) return [{ path, explicit: true }];
  return list(path)
    .toSorted()
    .map((name) => ({ path: joinPath(path, name), explicit: false }));
}

/** Parts of a path inside the snapshot: without the root and leading '..'. */
function namedParts(path: RawPath): readonly RawPath[] {
  const parts = pathParts(path).filter((part) => part !== '/' && part !== '' && part !== '.' && part !== '..');
  return parts as RawPath[];
}

/** The folder that a target's first name is in: '/', '.', '..', '../..' and so on. */
function startOf(path: RawPath): RawPath {
  if (isAbsolutePath(path)) return '/' as RawPath;
  return joinPath('.', ...pathParts(path).filter((part) => part === '..'));
}

function add(root: TargetTree, path: RawPath, explicit: boolean): void {
  const [first, ...rest] = namedParts(path);
  if (first === undefined) throw new HoldfastError('usage', `not a path that can be backed up: ${displayPath(path)}`);
  const start = startOf(path);
  const [name, tree] = freePlace(root, first, start);
  if (rest.length === 0) {
    tree.path = path;
    tree.explicit = explicit;
  } else {
    tree.folder = joinPath(start, first);
    addBelow(tree, { path, explicit }, tree.folder, rest);
  }
  root.children.set(name, tree);
}

function freePlace(root: TargetTree, wanted: RawPath, start: RawPath): readonly [RawPath, TargetTree] {
  let name = wanted;
  for (let i = 1; ; i += 1) {
    const other = root.children.get(name);
    if (other === undefined) return [name, { ...emptyTree(), start }];
    if (other.start === start) return [name, other];
    name = `${wanted}-${i}` as RawPath;
  }
}

function addBelow(tree: TargetTree, target: Target, folder: RawPath, names: readonly RawPath[]): void {
  const [name, ...rest] = names;
  if (name === undefined) return;
  const child = tree.children.get(name) ?? emptyTree();
  tree.children.set(name, child);
  if (rest.length > 0) {
    child.folder = joinPath(folder, name);
    return addBelow(child, target, child.folder, rest);
  }
  if (child.path !== undefined) throw new HoldfastError('usage', `given twice: ${displayPath(target.path)}`);
  child.path = target.path;
  child.explicit = target.explicit;
}

/** A target that has others inside is replaced by what it contains, so that only leaves have a path. */
function unroll(tree: TargetTree, list: ListNames): void {
  if (tree.path !== undefined && tree.children.size > 0) {
    for (const name of list(tree.path)) addListed(tree, name, joinPath(tree.path, name));
    tree.folder ??= tree.path;
    delete tree.path;
    tree.explicit = false;
  }
  for (const child of tree.children.values()) unroll(child, list);
}

function addListed(tree: TargetTree, name: RawPath, path: RawPath): void {
  const child = tree.children.get(name);
  if (child === undefined) tree.children.set(name, { ...emptyTree(), path });
  else if (child.path === undefined) child.path = path;
  else if (child.path !== path)
    throw new HoldfastError('usage', `two targets take the same place: ${displayPath(path)}`);
}

function emptyTree(): TargetTree {
  return { children: new Map(), explicit: false };
}

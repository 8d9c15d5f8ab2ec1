import { lstatSync, statSync, type BigIntStats } from 'node:fs';
import { systemPath, type RawPath } from '../../bytes/ids.ts';
import { absolutePath } from '../../bytes/unix-path.ts';
import { Directory } from '../../host/directory.ts';
import { errorCode, reasonOf } from '../../host/system-error.ts';
import type { Excludes } from './excludes.ts';
import type { TargetTree } from './target-tree.ts';

/** Something that belongs into the snapshot. */
export interface Found {
  /** Where it is, as the system takes it. */
  readonly path: RawPath;
  /** Where it goes in the snapshot, relative to its root. */
  readonly snapshotPath: RawPath;
  readonly stat: BigIntStats;
  /** A folder that is recorded only because a target lies below it. */
  readonly above: boolean;
}

export interface WalkSettings<Result> {
  readonly tree: TargetTree;
  readonly excludes: Excludes;
  /** Absolute: what relative targets start from. */
  readonly folder: RawPath;
  /** Called once for each find, for a folder before its children; what it returns is yielded, a folder's after them. */
  readonly describe: (found: Found) => Result | undefined;
  /** Something is left out against the user's wish. */
  readonly unread: (path: RawPath, reason: string) => void;
}

/**
 * Walks the targets depth-first, names ascending, a folder after its children. Undefined is yielded for each step
 * that finds nothing, so that the caller regains control at least once for each name. Folders are opened without
 * following a link that took their place; one folder's names are held for each level.
 */
export function* walk<Result>(settings: WalkSettings<Result>): Generator<Result | undefined, void, void> {
  const stack: Frame<Result>[] = [targetFrame<Result>(settings.tree, '' as RawPath, undefined)];
  for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
    const name = frame.names[frame.next];
    frame.next += 1;
    if (name === undefined) {
      stack.pop();
      yield frame.closing;
    } else {
      yield guarded(settings, frame.pathOf(name), () => visit(settings, frame, name, stack));
    }
  }
}

/** A folder, or a place above targets, whose children are being visited. */
interface Frame<Result> {
  readonly snapshotPath: RawPath;
  readonly names: readonly RawPath[];
  next: number;
  readonly pathOf: (name: RawPath) => RawPath;
  /** In a place above targets: what is to be found at this name. */
  readonly targets: ReadonlyMap<RawPath, TargetTree> | undefined;
  readonly absolute: RawPath | undefined;
  readonly closing: Result | undefined;
}

function visit<Result>(
  settings: WalkSettings<Result>,
  frame: Frame<Result>,
  name: RawPath,
  stack: Frame<Result>[],
): Result | undefined {
  const target = frame.targets?.get(name);
  const snapshotPath = below(frame.snapshotPath, name);
  const path = frame.pathOf(name);
  if (target !== undefined && target.path === undefined) {
    stack.push(enterAbove(settings, target, path, snapshotPath));
    return undefined;
  }
  const absolute = frame.absolute === undefined ? absolutePath(path, settings.folder) : below(frame.absolute, name);
  const explicit = target?.explicit ?? false;
  if (!explicit && settings.excludes.byPath(absolute)) return undefined;
  const stat = lstatSync(systemPath(path), { bigint: true });
  if ((!explicit && settings.excludes.byStat(absolute, stat)) || stat.isSocket()) return undefined;
  if (!stat.isDirectory()) return settings.describe({ path, snapshotPath, stat, above: false });
  stack.push(enter(settings, { path, snapshotPath, absolute }));
  return undefined;
}

function enter<Result>(
  settings: WalkSettings<Result>,
  at: { readonly path: RawPath; readonly snapshotPath: RawPath; readonly absolute: RawPath },
): Frame<Result> {
  using directory = Directory.open(at.path, { lastLink: 'refused' });
  const closing = settings.describe({ ...at, stat: directory.stat(), above: false });
  const names = directory.names().toSorted();
  return { ...at, names, next: 0, pathOf: (name) => below(at.path, name), targets: undefined, closing };
}

/** Links above a target are followed, as the system does on the way to it. */
function enterAbove<Result>(
  settings: WalkSettings<Result>,
  target: TargetTree,
  path: RawPath,
  snapshotPath: RawPath,
): Frame<Result> {
  const stat = statSync(systemPath(path), { bigint: true });
  const closing = settings.describe({ path, snapshotPath, stat, above: true });
  return targetFrame(target, snapshotPath, closing);
}

function targetFrame<Result>(
  { children }: TargetTree,
  snapshotPath: RawPath,
  closing: Result | undefined,
): Frame<Result> {
  return {
    snapshotPath,
    names: [...children.keys()].toSorted(),
    next: 0,
    pathOf: (name) => children.get(name)?.path ?? children.get(name)?.folder ?? name,
    targets: children,
    absolute: undefined,
    closing,
  };
}

/** What the system refuses is left out and told; anything else is ours and stops the walk. */
function guarded<Result>(
  settings: WalkSettings<Result>,
  path: RawPath,
  action: () => Result | undefined,
): Result | undefined {
  try {
    return action();
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    settings.unread(path, errorCode(error) === 'ENOENT' ? 'it vanished' : reasonOf(error));
    return undefined;
  }
}

function below(folder: RawPath, name: RawPath): RawPath {
  if (folder === '' || folder === '.') return name;
  return (folder.endsWith('/') ? `${folder}${name}` : `${folder}/${name}`) as RawPath;
}

import type { BlobId, RawPath } from '../bytes/ids.ts';
import { walkTree, type TreeReader, type WalkItem } from './walk.ts';

export interface ListOptions {
  /** Absolute and clean paths; [] lists from the root. */
  readonly folders: readonly RawPath[];
  /** 'all': also what lies deeper than the folders' own items. Without folders everything is listed. */
  readonly depth: 'items' | 'all';
  /** Whether the folders on the way to those named are told too. */
  readonly leading: 'left out' | 'told';
  readonly signal?: AbortSignal;
}

/** What `ls` shows: the folders named and what they hold, or the whole snapshot. */
export async function* listItems(
  reader: TreeReader,
  root: BlobId,
  options: ListOptions,
): AsyncGenerator<WalkItem, void> {
  const { folders, depth, leading, signal } = options;
  const isInside = (path: RawPath): boolean =>
    folders.length === 0 || folders.some((folder) => hasPrefix(path, folder));
  const leadsThere = (path: RawPath): boolean =>
    folders.length === 0 || folders.some((folder) => hasPrefix(folder, path));
  const enter = (path: RawPath): boolean => (depth === 'all' && isInside(path)) || leadsThere(path);
  for await (const item of walkTree(reader, root, { enter, ...(signal && { signal }) })) {
    const isTold = isInside(item.path) || (leading === 'told' && leadsThere(item.path));
    if (item.kind === 'unreadable' || isTold) yield item;
  }
}

/** Whether `path` is `prefix` or lies below it. */
function hasPrefix(path: RawPath, prefix: RawPath): boolean {
  return prefix === '/' || path === prefix || path.startsWith(`${prefix}/`);
}

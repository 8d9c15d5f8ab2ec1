import type { RawPath } from '../../bytes/ids.ts';
import { Directory } from '../../host/directory.ts';
import type { TreeNode } from '../entry.ts';

/** The name of a file that came first, and whether it is in place. */
export interface FirstName {
  readonly location: RawPath;
  readonly settled: Promise<void>;
  readonly settle: () => void;
}

/**
 * Files with several names: the first name met is restored as a file, the others are linked to it. Kept for the
 * whole restore is one path a file, not a descriptor.
 */
export class HardLinks {
  readonly #firsts = new Map<string, FirstName>();

  /** The first name of this file, when another came before. */
  firstOf(node: TreeNode): FirstName | undefined {
    return node.links > 1n ? this.#firsts.get(keyOf(node)) : undefined;
  }

  /** Takes note of a first name; the caller settles it when the file is done, well or not. */
  begin(node: TreeNode, location: RawPath): FirstName {
    const { promise, resolve } = Promise.withResolvers<void>();
    const first: FirstName = { location, settled: promise, settle: resolve };
    if (node.links > 1n) this.#firsts.set(keyOf(node), first);
    return first;
  }
}

function keyOf(node: TreeNode): string {
  return `${node.deviceId}:${node.inode}`;
}

/** Makes `name` in `directory` a further name of the file at `location` below `target`, reached by descriptors alone. */
export function linkTo(target: RawPath, location: RawPath, directory: Directory, name: RawPath): void {
  const names = location.split('/').slice(1) as RawPath[];
  const last = names.pop() ?? name;
  let parent = Directory.open(target);
  try {
    for (const step of names) {
      const child = parent.openDirectory(step);
      parent[Symbol.dispose]();
      parent = child;
    }
    directory.makeLink(name, parent, last);
  } finally {
    parent[Symbol.dispose]();
  }
}

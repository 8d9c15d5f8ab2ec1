import type { Zone } from '../../src/clock/zone.ts';
import type { TreeNode } from '../../src/snapshot/entry.ts';
import { TreeBuilder } from '../../src/snapshot/tree.ts';

/** The bytes of a tree with these nodes. */
export function encodeTree(nodes: Iterable<TreeNode>, zone?: Zone): Uint8Array {
  const builder = new TreeBuilder(zone);
  for (const node of nodes) builder.add(node);
  return builder.finish();
}

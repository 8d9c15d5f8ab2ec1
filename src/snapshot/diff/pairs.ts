import type { TreeNode } from '../entry.ts';

/** A name's node before and after; one of them is there. */
export interface Pair {
  readonly kind: 'pair';
  readonly before: TreeNode | undefined;
  readonly after: TreeNode | undefined;
}

/** Goes through two ascending lists of nodes side by side. */
export function* pairs(before: Iterator<TreeNode, void>, after: Iterator<TreeNode, void>): Generator<Pair, void> {
  let [a, b] = [next(before), next(after)];
  while (a !== undefined || b !== undefined) {
    const first = b === undefined || (a !== undefined && a.name <= b.name) ? a : undefined;
    const second = a === undefined || (b !== undefined && b.name <= a.name) ? b : undefined;
    yield { kind: 'pair', before: first, after: second };
    if (first !== undefined) a = next(before);
    if (second !== undefined) b = next(after);
  }
}

function next(nodes: Iterator<TreeNode, void>): TreeNode | undefined {
  return nodes.next().value ?? undefined;
}

import type { ExtendedAttribute, TreeNode } from './entry.ts';

/** Whether two nodes agree in all that a tree records; the order of extended attributes doesn't matter. */
export function sameNode(a: TreeNode, b: TreeNode): boolean {
  return sameMetadata(a, b) && sameContent(a.content, b.content) && a.subtree === b.subtree;
}

/** As sameNode, apart from what the node holds. */
export function sameMetadata(a: TreeNode, b: TreeNode): boolean {
  return (
    a.name === b.name &&
    a.type === b.type &&
    a.mode === b.mode &&
    a.mtimeNs === b.mtimeNs &&
    a.atimeNs === b.atimeNs &&
    a.ctimeNs === b.ctimeNs &&
    a.uid === b.uid &&
    a.gid === b.gid &&
    a.user === b.user &&
    a.group === b.group &&
    a.inode === b.inode &&
    a.deviceId === b.deviceId &&
    a.sizeBytes === b.sizeBytes &&
    a.links === b.links &&
    (a.linkTarget ?? '') === (b.linkTarget ?? '') &&
    (a.device ?? 0n) === (b.device ?? 0n) &&
    (a.error ?? '') === (b.error ?? '') &&
    sameXattrs(a.xattrs ?? [], b.xattrs ?? []) &&
    sameAttributes(a.genericAttributes ?? {}, b.genericAttributes ?? {})
  );
}

export function sameContent(a: TreeNode['content'], b: TreeNode['content']): boolean {
  if (a === null || b === null) return a === b;
  return a.length === b.length && a.every((id, at) => id === b[at]);
}

function sameXattrs(a: readonly ExtendedAttribute[], b: readonly ExtendedAttribute[]): boolean {
  if (a.length !== b.length) return false;
  if (a.length === 0) return true;
  const values = new Map(a.map(({ name, value }) => [name, bytesOf(value)]));
  return b.every(({ name, value }) => values.get(name)?.equals(bytesOf(value)) ?? false);
}

function bytesOf(value: Uint8Array | null): Buffer {
  return Buffer.from(value ?? []);
}

function sameAttributes(a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, unknown>>): boolean {
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length && names.every((name) => JSON.stringify(a[name]) === JSON.stringify(b[name]))
  );
}

import type { Metadata, TreeNode } from '../entry.ts';

/** When a file counts as unchanged since the parent snapshot. */
export interface ChangeDetection {
  /** 'read-all': every file is read. */
  readonly mode: 'metadata' | 'read-all';
  readonly ctime: 'compared' | 'ignored';
  readonly inode: 'compared' | 'ignored';
}

/** By metadata alone; whether its blobs are still there is for the caller to see. */
export function isUnchanged(now: Metadata, before: TreeNode, detection: ChangeDetection): boolean {
  return (
    detection.mode === 'metadata' &&
    now.type === 'file' &&
    before.type === 'file' &&
    now.sizeBytes === before.sizeBytes &&
    now.mtimeNs === before.mtimeNs &&
    (detection.ctime === 'ignored' || now.ctimeNs === before.ctimeNs) &&
    (detection.inode === 'ignored' || now.inode === before.inode)
  );
}

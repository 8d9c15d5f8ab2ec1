import type { BlobId } from '../../bytes/ids.ts';
import { HoldfastError } from '../../errors/error.ts';
import type { Directory } from '../../host/directory.ts';
import type { TreeNode } from '../entry.ts';
import { decodeTree } from '../tree.ts';
import { deepest } from '../walk.ts';
import { below } from './below.ts';
import type { RestoreContext } from './context.ts';
import { matchingBlobs } from './existing.ts';
import type { Folder } from './folder.ts';

/**
 * Reads every file back that the restore answers for, and holds its size and each blob against the snapshot. What
 * differs is a failure. Resolves to the number of files that are right.
 */
export async function verifyFolder(context: RestoreContext, folder: Folder, tree: BlobId): Promise<number> {
  let right = 0;
  for (const node of decodeTree(await context.repository.readBlob('tree', tree))) {
    context.signal.throwIfAborted();
    const location = below(folder.location, node.name);
    const type = node.type === 'dir' ? 'directory' : 'other';
    const { selected, childrenMayBe } = context.options.select(location, type);
    if (node.type === 'dir' && node.subtree !== undefined && childrenMayBe && folder.depth < deepest) {
      right += await verifyChild(context, folder, node, node.subtree);
    } else if (node.type === 'file' && selected && !context.untouched.has(location)) {
      if (verifyFile(context, folder, node)) right++;
    }
  }
  return right;
}

async function verifyChild(context: RestoreContext, parent: Folder, node: TreeNode, tree: BlobId): Promise<number> {
  const child = parent.child(node);
  try {
    return await verifyFolder(context, child, tree);
  } finally {
    child.release();
  }
}

function verifyFile(context: RestoreContext, folder: Folder, node: TreeNode): boolean {
  try {
    compare(folder.openIfThere(), node, context);
    return true;
  } catch (error) {
    context.tally.failed(below(folder.location, node.name), error);
    return false;
  }
}

function compare(directory: Directory | undefined, node: TreeNode, { repository }: RestoreContext): void {
  const existing = directory?.lstatIfThere(node.name);
  if (directory === undefined || existing?.isFile() !== true) throw differs('the restored file is not there');
  if (Number(existing.size) !== node.sizeBytes) throw differs(`its size is ${existing.size}, not ${node.sizeBytes}`);
  const wrong = matchingBlobs(directory, node.name, node.content ?? [], repository.index).indexOf(false);
  if (wrong !== -1) throw differs(`blob ${wrong} of its content differs from the snapshot`);
}

function differs(how: string): HoldfastError {
  return new HoldfastError('damaged', `verification failed: ${how}`);
}

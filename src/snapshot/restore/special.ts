import { rawPathOf } from '../../bytes/ids.ts';
import { HoldfastError } from '../../errors/error.ts';
import type { Directory } from '../../host/directory.ts';
import { makeSpecialNode } from '../../host/mknod.ts';
import type { TreeNode } from '../entry.ts';
import { removeAt } from './clear-way.ts';
import { below } from './below.ts';
import { existingAt, type RestoreContext } from './context.ts';
import { mayOverwrite } from './existing.ts';
import type { Folder } from './folder.ts';

/** Restores what has no content: links, fifos, device nodes. It is made anew even where the same stands there. */
export function restoreSpecial(context: RestoreContext, folder: Folder, node: TreeNode): void {
  context.tally.found(0);
  const location = below(folder.location, node.name);
  const existing = existingAt(folder, node.name);
  if (!mayOverwrite(context.options.overwrite, node, existing)) return context.tally.done('unchanged', location, 0);
  if (!context.isDryRun) {
    const directory = folder.open();
    removeAt(directory, node.name, context.clearing, () => undefined);
    make(directory, node);
    context.metadata.applyToChild(directory, node.name, node);
  }
  context.tally.done(existing === undefined ? 'restored' : 'updated', location, 0);
}

function make(directory: Directory, node: TreeNode): void {
  const path = directory.path(node.name);
  const device = node.device ?? 0n;
  if (node.type === 'symlink') directory.makeSymlink(node.name, node.linkTarget ?? rawPathOf(''));
  else if (node.type === 'fifo') makeSpecialNode(path, { kind: 'fifo' });
  else if (node.type === 'dev') makeSpecialNode(path, { kind: 'block-device', device });
  else if (node.type === 'chardev') makeSpecialNode(path, { kind: 'char-device', device });
  else throw new HoldfastError('unsupported', `a file of type ${node.type} can't be restored`);
}

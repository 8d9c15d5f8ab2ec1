import { constants } from 'node:fs';
import { constants as system } from 'node:os';
import type { RawPath } from '../bytes/ids.ts';
import { checked, cString, libcFunction } from './libc.ts';
import { systemError } from './system-error.ts';

/** A node without content: `device` is the number (st_rdev) of a device node. */
export type SpecialNode =
  | { readonly kind: 'fifo' }
  | { readonly kind: 'block-device' | 'char-device'; readonly device: bigint };

const darwin = process.platform === 'darwin';
const mkfifo = libcFunction('mkfifo', { return: 'i32', arguments: ['string', 'u32'] });
const mknod = libcFunction('mknod', { return: 'i32', arguments: ['string', 'u32', darwin ? 'u32' : 'u64'] });

/** Whether this host can make fifos and device nodes (the latter needs root as well). */
export const specialNodesAreKept = mkfifo !== undefined && mknod !== undefined;

/** Makes a fifo or a device node with mode 0600 less the umask; 'EEXIST' when the name is taken, link or not. */
export function makeSpecialNode(path: RawPath, node: SpecialNode): void {
  if (mkfifo === undefined || mknod === undefined) throw systemError('mknod', system.errno.ENOSYS);
  if (node.kind === 'fifo') checked('mkfifo', mkfifo(cString(path), 0o600));
  else checked('mknod', mknod(cString(path), deviceMode(node.kind), darwin ? Number(node.device) : node.device));
}

function deviceMode(kind: 'block-device' | 'char-device'): number {
  return (kind === 'block-device' ? constants.S_IFBLK : constants.S_IFCHR) | 0o600;
}

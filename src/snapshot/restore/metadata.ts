import { fchmodSync, fchownSync } from 'node:fs';
import type { RawPath } from '../../bytes/ids.ts';
import type { Directory } from '../../host/directory.ts';
import { errorCode } from '../../host/system-error.ts';
import { setTimes } from '../../host/times.ts';
import { listXattrs, removeXattr, setXattr } from '../../host/xattr.ts';
import type { TreeNode } from '../entry.ts';
import type { Tally } from './tally.ts';

export interface MetadataOptions {
  readonly selectXattr: (name: string) => boolean;
  readonly tally: Tally;
}

/**
 * Gives an open file or folder what its node says. The order matters: changing the owner clears setuid and
 * capabilities, attributes of files without write permission can't be set, and a mode is the last word on an ACL's
 * mask. What only root may do is counted as not preserved when we aren't; anything else throws, after all was tried.
 */
export function applyToOpen(fd: number, node: TreeNode, options: MetadataOptions): void {
  apply(options.tally, [
    ['owner', () => fchownSync(fd, node.uid, node.gid)],
    ['extended attributes', () => applyXattrs(fd, node, options)],
    ['times', () => setTimes(fd, node)],
    ['mode', () => fchmodSync(fd, permissionsOf(node.mode))],
  ]);
}

/** The same for what can't be opened: links, fifos, devices. */
export function applyToName(directory: Directory, name: RawPath, node: TreeNode, options: MetadataOptions): void {
  const path = directory.path(name);
  apply(options.tally, [
    ['owner', () => directory.chown(name, node.uid, node.gid)],
    ['extended attributes', () => applyXattrs(path, node, options)],
    ['times', () => setTimes(path, node)],
    ['mode', () => (node.type === 'symlink' ? undefined : directory.chmod(name, permissionsOf(node.mode)))],
  ]);
}

type Step = readonly [what: string, act: () => void];

function apply(tally: Tally, steps: readonly Step[]): void {
  const errors: unknown[] = [];
  for (const [what, act] of steps) {
    try {
      act();
    } catch (error) {
      if (isNotOurs(error)) tally.lost(what);
      else errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}

/** Refused to a user who isn't root, or by a file system that keeps no such thing. */
function isNotOurs(error: unknown): boolean {
  const code = errorCode(error);
  if (code === 'ENOTSUP') return true;
  return (code === 'EPERM' || code === 'EACCES') && process.geteuid?.() !== 0;
}

function applyXattrs(target: RawPath | number, node: TreeNode, { selectXattr }: MetadataOptions): void {
  const wanted = (node.xattrs ?? []).filter(({ name }) => selectXattr(name));
  for (const name of present(target, wanted.length > 0)) {
    if (selectXattr(name) && !wanted.some((xattr) => xattr.name === name)) removeXattr(target, name);
  }
  for (const { name, value } of wanted) setXattr(target, name, value ?? new Uint8Array());
}

/** A file system without attributes is no loss where none are wanted. */
function present(target: RawPath | number, someAreWanted: boolean): readonly string[] {
  try {
    return listXattrs(target);
  } catch (error) {
    if (errorCode(error) === 'ENOTSUP' && !someAreWanted) return [];
    throw error;
  }
}

const goSetuid = 1 << 23;
const goSetgid = 1 << 22;
const goSticky = 1 << 20;

/** Go's FileMode to what chmod takes. */
function permissionsOf(mode: number): number {
  const special = (mode & goSetuid ? 0o4000 : 0) | (mode & goSetgid ? 0o2000 : 0) | (mode & goSticky ? 0o1000 : 0);
  return special | (mode & 0o777);
}

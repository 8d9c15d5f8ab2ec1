import type { RawPath } from '../../bytes/ids.ts';
import {
  applyToChild,
  applyToOpen,
  type AttributeOptions,
  type FileAttributes,
  type XattrSelection,
} from '../../host/attributes.ts';
import type { Directory } from '../../host/directory.ts';
import type { TreeNode } from '../entry.ts';
import type { Tally } from './tally.ts';

/** Gives open files, folders and names what their nodes say; what this host or user can't keep is counted. */
export class MetadataRestorer {
  readonly #options: AttributeOptions;

  constructor(selectXattr: XattrSelection, tally: Tally) {
    this.#options = { selectXattr, onLost: (what) => tally.lost(what) };
  }

  get selectXattr(): XattrSelection {
    return this.#options.selectXattr;
  }

  applyToOpen(fd: number, node: TreeNode): void {
    applyToOpen(fd, attributesOf(node), this.#options);
  }

  /** For what can't be opened: links, fifos, devices. */
  applyToChild(directory: Directory, name: RawPath, node: TreeNode): void {
    applyToChild({ directory, name, isLink: node.type === 'symlink' }, attributesOf(node), this.#options);
  }
}

const empty = new Uint8Array();
const none: FileAttributes['xattrs'] = [];

/** What of a node is set on the file itself. */
export function attributesOf(node: TreeNode): FileAttributes {
  const { uid, gid, atimeNs, mtimeNs } = node;
  const xattrs = node.xattrs?.map(({ name, value }) => ({ name, value: value ?? empty })) ?? none;
  return { uid, gid, atimeNs, mtimeNs, permissions: permissionsOf(node.mode), xattrs };
}

const goSetuid = 1 << 23;
const goSetgid = 1 << 22;
const goSticky = 1 << 20;

/** Go's FileMode to what chmod takes. */
function permissionsOf(mode: number): number {
  const special = (mode & goSetuid ? 0o4000 : 0) | (mode & goSetgid ? 0o2000 : 0) | (mode & goSticky ? 0o1000 : 0);
  return special | (mode & 0o777);
}

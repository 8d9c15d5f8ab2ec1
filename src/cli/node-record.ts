import { displayPath, type RawPath } from '../bytes/ids.ts';
import type { TreeNode } from '../snapshot/entry.ts';
import { formatBytes, formatTime, jsonTime, quoteForTerminal } from './format.ts';

const typeLetters = 'dalTLDpSugct?';

/** Go's text of a FileMode: `drwxr-xr-x`, `-rw-r--r--`, `urwxr-xr-x` (setuid), `Lrwxrwxrwx` (a link). */
function modeText(mode: number): string {
  const types = Array.from(typeLetters).filter((_, bit) => ((mode >>> (31 - bit)) & 1) === 1);
  const permissions = Array.from('rwxrwxrwx').map((letter, bit) => (((mode >>> (8 - bit)) & 1) === 1 ? letter : '-'));
  return `${types.length === 0 ? '-' : types.join('')}${permissions.join('')}`;
}

/** A node as `ls --json` has it. */
export function listedNode(path: RawPath, node: TreeNode): Readonly<Record<string, unknown>> {
  const { type, uid, gid, mode, inode } = node;
  return {
    name: displayPath(node.name),
    type,
    path: displayPath(path),
    uid,
    gid,
    ...(type === 'file' ? { size: node.sizeBytes } : {}),
    ...(mode === 0 ? {} : { mode }),
    permissions: modeText(mode),
    ...times(node),
    ...(inode === 0n ? {} : { inode }),
    message_type: 'node',
    struct_type: 'node',
  };
}

/** A node as `find --json` has it. */
export function foundNode(path: RawPath, node: TreeNode): Readonly<Record<string, unknown>> {
  const { type, mode, uid, gid, user, group, inode, deviceId, sizeBytes, links, linkTarget } = node;
  return {
    path: displayPath(path),
    permissions: modeText(mode),
    type,
    ...(mode === 0 ? {} : { mode }),
    ...times(node),
    uid,
    gid,
    ...(user === '' ? {} : { user }),
    ...(group === '' ? {} : { group }),
    ...(inode === 0n ? {} : { inode }),
    ...(deviceId === 0n ? {} : { device_id: deviceId }),
    ...(sizeBytes === 0 ? {} : { size: sizeBytes }),
    ...(links === 0n ? {} : { links }),
    ...(linkTarget === undefined ? {} : { linktarget: displayPath(linkTarget) }),
  };
}

function times({ mtimeNs, atimeNs, ctimeNs }: TreeNode): Readonly<Record<string, string>> {
  return { mtime: jsonTime(mtimeNs), atime: jsonTime(atimeNs), ctime: jsonTime(ctimeNs) };
}

/** A node as a line for people. */
export function nodeLine(
  path: RawPath,
  node: TreeNode,
  form: { readonly long: boolean; readonly humanReadable: boolean },
): string {
  const shown = quoteForTerminal(displayPath(path));
  if (!form.long) return shown;
  const size = form.humanReadable ? formatBytes(node.sizeBytes) : String(node.sizeBytes).padStart(6);
  const target = node.linkTarget === undefined ? '' : ` -> ${quoteForTerminal(displayPath(node.linkTarget))}`;
  const owner = `${String(node.uid).padStart(5)} ${String(node.gid).padStart(5)}`;
  return `${modeText(node.mode)} ${owner} ${size} ${formatTime(node.mtimeNs)} ${shown}${target}`;
}

import { closeSync, constants, readSync, type BigIntStats } from 'node:fs';
import type { BlobId, RawPath } from '../../bytes/ids.ts';
import { blobIdFor } from '../../crypto/id.ts';
import type { Directory } from '../../host/directory.ts';
import { errorCode } from '../../host/system-error.ts';
import type { BlobIndex } from '../../repository/index.ts';
import type { TreeNode } from '../entry.ts';
import type { Overwrite } from '../restore.ts';

/** Whether the user lets us touch what is there. */
export function mayOverwrite(overwrite: Overwrite, node: TreeNode, existing: BigIntStats | undefined): boolean {
  if (existing === undefined || overwrite === 'always' || overwrite === 'if-changed') return true;
  return overwrite === 'if-newer' && node.mtimeNs > existing.mtimeNs;
}

/** Size and time say that the content is the snapshot's already. */
export function looksUnchanged(node: TreeNode, existing: BigIntStats): boolean {
  return existing.isFile() && Number(existing.size) === node.sizeBytes && existing.mtimeNs === node.mtimeNs;
}

/**
 * Which of a file's blobs stand at their place in the file that is there: read and hashed, one blob in memory.
 * A file that can't be read matches nowhere: then all of it is written anew, or that fails and says why.
 */
export function matchingBlobs(
  directory: Directory,
  name: RawPath,
  content: readonly BlobId[],
  index: BlobIndex,
): boolean[] {
  const fd = openToRead(directory, name);
  if (fd === undefined) return content.map(() => false);
  try {
    let offset = 0;
    return content.map((id) => {
      const length = index.plainLength('data', id) ?? 0;
      const matches = blobIdFor(readAt(fd, offset, length)) === id;
      offset += length;
      return matches;
    });
  } finally {
    closeSync(fd);
  }
}

function openToRead(directory: Directory, name: RawPath): number | undefined {
  try {
    return directory.openFile(name, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (errorCode(error) === 'EACCES') return undefined;
    throw error;
  }
}

function readAt(fd: number, offset: number, length: number): Uint8Array {
  const buffer = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const count = readSync(fd, buffer, filled, length - filled, offset + filled);
    if (count === 0) break;
    filled += count;
  }
  return buffer.subarray(0, filled);
}

import type { BigIntStats } from 'node:fs';
import type { BlobId } from '../../bytes/ids.ts';
import { HoldfastError } from '../../errors/error.ts';
import type { BlobIndex, BlobLocation } from '../../repository/index.ts';
import type { TreeNode } from '../entry.ts';
import { looksUnchanged, matchingBlobs } from './existing.ts';
import type { Overwrite } from '../restore.ts';
import type { Folder } from './folder.ts';

/** A blob and where in the file it goes. */
export interface Piece {
  readonly blob: BlobLocation;
  readonly offset: number;
}

/**
 * What a file needs: nothing but its metadata ('complete'), some of its blobs written into the file that is there
 * ('patch'), or a new file ('fresh').
 */
export interface FilePlan {
  readonly way: 'complete' | 'patch' | 'fresh';
  readonly pieces: readonly Piece[];
}

/** Reads what is there as far as `overwrite` asks for. 'blob-missing' when the index doesn't know a blob. */
export function planFile(
  folder: Folder,
  node: TreeNode,
  existing: BigIntStats | undefined,
  { overwrite, index }: { readonly overwrite: Overwrite; readonly index: BlobIndex },
): FilePlan {
  const content = node.content ?? [];
  const all = piecesOf(content, index);
  const directory = existing?.isFile() === true ? folder.openIfThere() : undefined;
  if (existing === undefined || directory === undefined) return { way: 'fresh', pieces: all };
  if (overwrite === 'if-changed' && looksUnchanged(node, existing)) return { way: 'complete', pieces: [] };
  const matches = matchingBlobs(directory, node.name, content, index);
  const missing = all.filter((_, i) => matches[i] !== true);
  if (missing.length === 0 && Number(existing.size) === node.sizeBytes) return { way: 'complete', pieces: [] };
  // A file with several names would change under all of them.
  const patch = missing.length < all.length && existing.nlink === 1n;
  return patch ? { way: 'patch', pieces: missing } : { way: 'fresh', pieces: all };
}

function piecesOf(content: readonly BlobId[], index: BlobIndex): readonly Piece[] {
  let offset = 0;
  return content.map((id) => {
    const blob = index.locate('data', id);
    if (blob === undefined) throw new HoldfastError('blob-missing', `no index knows its blob ${id}`);
    const piece = { blob, offset };
    offset += blob.plainLength;
    return piece;
  });
}

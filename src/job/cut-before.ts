import { rawPathOfByteString, type BlobId, type RawPath } from '../bytes/ids.ts';
import { hasCode } from '../errors/error.ts';
import type { Repository } from '../repository/repository.ts';
import { locateFolder } from '../snapshot/locate.ts';
import { decodeTree } from '../snapshot/tree.ts';
import { ofOneTree } from '../snapshot/walk.ts';
import type { WalkOptions } from '../source/source.ts';

/**
 * How files were cut in a snapshot: the length of the first of several chunks. Holds one folder at a time, 100 bytes or
 * so a file: who asks goes through folders one by one.
 */
export function cutBefore(repository: Repository, root: BlobId): NonNullable<WalkOptions['cutBefore']> {
  let folder: { readonly path: RawPath; readonly first: Promise<ReadonlyMap<RawPath, BlobId>> } | undefined;
  return async (path) => {
    const slash = path.lastIndexOf('/');
    const above = rawPathOfByteString(path.slice(0, Math.max(0, slash)));
    if (folder?.path !== above) folder = { path: above, first: firstChunks(repository, root, above) };
    const id = (await folder.first).get(rawPathOfByteString(path.slice(slash + 1)));
    return id === undefined ? undefined : repository.index.plainLength('data', id);
  };
}

/** Of files in several chunks. A folder that wasn't there, or can't be read, says nothing. */
async function firstChunks(repository: Repository, root: BlobId, path: RawPath): Promise<ReadonlyMap<RawPath, BlobId>> {
  const found = new Map<RawPath, BlobId>();
  try {
    const tree = await repository.readBlob('tree', await locateFolder(repository, root, path));
    for (const { name, content } of decodeTree(tree)) {
      const [first, second] = content ?? [];
      if (first !== undefined && second !== undefined) found.set(name, first);
    }
  } catch (error) {
    if (!hasCode(error, 'path-not-found', ...ofOneTree)) throw error;
  }
  return found;
}

import { rawPathOfByteString, type BlobId, type RawPath } from '../bytes/ids.ts';
import { HoldfastError, hasCode } from '../errors/error.ts';
import type { Repository } from '../repository/repository.ts';
import type { TreeNode } from '../snapshot/entry.ts';
import { locate, locateFolder } from '../snapshot/locate.ts';
import { TreeReader } from '../snapshot/tree.ts';
import { ofOneTree } from '../snapshot/walk.ts';
import type { ParentFile, ParentFiles } from '../source/source.ts';

/** Files of the snapshot whose tree this is. Holds one folder's tree at a time, and of its nodes the last one. */
export function parentFiles(repository: Repository, root: BlobId): ParentFiles {
  let folder: { readonly path: RawPath; readonly nodes: FolderNodes } | undefined;
  return {
    find: async (path) => {
      const slash = path.lastIndexOf('/');
      const above = rawPathOfByteString(path.slice(0, Math.max(0, slash)));
      const name = rawPathOfByteString(path.slice(slash + 1));
      if (folder?.path !== above || folder.nodes.isPast(name))
        folder = { path: above, nodes: new FolderNodes(await treeOf(repository, root, above)) };
      const node = folder.nodes.find(name);
      return node && fileOf(repository, node);
    },
    read: (path) => readFile(repository, root, path),
    chunk: async (id) => await repository.readBlob('data', id),
  };
}

class FolderNodes {
  readonly #reader: TreeReader | undefined;
  #at: TreeNode | undefined;
  #asked: RawPath | undefined;

  constructor(tree: Uint8Array | undefined) {
    this.#reader = tree && new TreeReader(tree);
  }

  /** A name before one that was asked for already. */
  isPast(name: RawPath): boolean {
    return this.#asked !== undefined && name < this.#asked;
  }

  find(name: RawPath): TreeNode | undefined {
    this.#asked = name;
    try {
      while (this.#at === undefined || this.#at.name < name) {
        this.#at = this.#reader?.next();
        if (this.#at === undefined) return undefined;
      }
    } catch (error) {
      if (!hasCode(error, 'damaged')) throw error;
      return undefined;
    }
    return this.#at.name === name ? this.#at : undefined;
  }
}

/** undefined: it wasn't there, or can't be read. */
async function treeOf(repository: Repository, root: BlobId, path: RawPath): Promise<Uint8Array | undefined> {
  try {
    return await repository.readBlob('tree', await locateFolder(repository, root, path));
  } catch (error) {
    if (!hasCode(error, 'path-not-found', ...ofOneTree)) throw error;
    return undefined;
  }
}

function fileOf({ index }: Repository, node: TreeNode): ParentFile | undefined {
  const { content, sizeBytes, mtimeNs, ctimeNs, inode, deviceId } = node;
  if (node.type !== 'file' || content === null) return undefined;
  const [first, second] = content;
  const cutBytes = first !== undefined && second !== undefined ? index.plainLength('data', first) : undefined;
  const ids = content.every((id) => index.has('data', id)) ? content : undefined;
  return { sizeBytes, mtimeNs, ctimeNs, inode, deviceId, ids, cutBytes };
}

async function* readFile(repository: Repository, root: BlobId, path: RawPath): AsyncGenerator<Uint8Array> {
  const located = await locate(repository, root, path);
  if (located.kind === 'root' || located.node.content === null)
    throw new HoldfastError('path-not-found', `${path} is no file of the parent snapshot`);
  for (const id of located.node.content) yield await repository.readBlob('data', id);
}

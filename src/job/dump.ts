import type { BlobId, FileId, RawPath } from '../bytes/ids.ts';
import { HoldfastError } from '../errors/error.ts';
import type { Repository } from '../repository/repository.ts';
import { packsBelow, packsOfFile } from '../snapshot/data-packs.ts';
import { dumpFile, dumpFolder, type DumpOptions } from '../snapshot/dump.ts';
import type { TreeNode } from '../snapshot/entry.ts';
import { locate, type Located } from '../snapshot/locate.ts';
import type { FindOptions } from '../snapshot/snapshots.ts';
import type { JobContext } from './job.ts';
import { withNamedTree } from './named-tree.ts';
import { thawPacks } from './thaw.ts';

export interface DumpJobOptions {
  readonly name: string;
  readonly find: FindOptions;
  /** '/' is everything. */
  readonly path: RawPath;
  readonly format: 'tar' | 'zip';
  /** 'refused' where a person would have the bytes of an archive on the screen. */
  readonly archives: 'written' | 'refused';
  /** Takes the bytes in order; resolves when it can take more. */
  readonly write: (bytes: Uint8Array) => Promise<void>;
}

const archiveOnScreen = 'a folder is dumped as an archive, which is nothing for a terminal: say --target FILE';

/** A file's bytes, or a folder as an archive. */
export async function dump(context: JobContext, options: DumpJobOptions): Promise<void> {
  const { listener } = context;
  const { name, find, path, format, write } = options;
  await withNamedTree(context, name, find, async (repository, { tree: root }, signal) => {
    const part = partOf(await locate(repository, root, path));
    if (part.kind === 'folder' && options.archives === 'refused') throw new HoldfastError('usage', archiveOnScreen);
    const dumping = { listener, signal };
    const packs = (): Promise<ReadonlySet<FileId>> => packsOf(repository, part, dumping);
    await thawPacks(repository, { ...context, signal }, { packs, mode: 'execute' });
    const pieces =
      part.kind === 'file'
        ? dumpFile(repository, part.node, dumping)
        : dumpFolder(repository, { tree: part.tree, path, format }, dumping);
    for await (const bytes of pieces) await write(bytes);
  });
}

/** What can be dumped. */
type Part = { readonly kind: 'file'; readonly node: TreeNode } | { readonly kind: 'folder'; readonly tree: BlobId };

function partOf(located: Located): Part {
  if (located.kind === 'root') return { kind: 'folder', tree: located.tree };
  const { node } = located;
  if (node.type === 'file') return { kind: 'file', node };
  if (node.subtree !== undefined) return { kind: 'folder', tree: node.subtree };
  throw new HoldfastError('refused', 'neither a file nor a folder: there is nothing to dump');
}

async function packsOf(repository: Repository, part: Part, options: DumpOptions): Promise<ReadonlySet<FileId>> {
  return part.kind === 'file'
    ? packsOfFile(part.node, repository.index)
    : await packsBelow(repository, [part.tree], options);
}

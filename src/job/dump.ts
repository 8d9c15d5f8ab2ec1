import type { RawPath } from '../bytes/ids.ts';
import { HoldfastError } from '../errors/error.ts';
import { dumpFile, dumpFolder } from '../snapshot/dump.ts';
import { locate } from '../snapshot/locate.ts';
import type { FindOptions } from '../snapshot/snapshots.ts';
import type { JobContext } from './job.ts';
import { withNamedTree } from './named-tree.ts';

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
    const located = await locate(repository, root, path);
    const tree = located.kind === 'root' ? located.tree : located.node.subtree;
    const dumping = { listener, signal };
    if (located.kind === 'node' && located.node.type === 'file') {
      for await (const bytes of dumpFile(repository, located.node, dumping)) await write(bytes);
    } else if (tree !== undefined) {
      if (options.archives === 'refused') throw new HoldfastError('usage', archiveOnScreen);
      for await (const bytes of dumpFolder(repository, { tree, path, format }, dumping)) await write(bytes);
    } else throw new HoldfastError('refused', 'neither a file nor a folder: there is nothing to dump');
  });
}

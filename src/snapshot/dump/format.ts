import type { RawPath } from '../../bytes/ids.ts';
import type { TreeNode } from '../entry.ts';

type Pieces = Iterable<Uint8Array>;

/** Turns entries into the bytes of an archive, entry by entry, without ever holding a file. */
export interface ArchiveFormat {
  /** `path` has no '/' in front. The node is a file, a folder or a link. */
  entry(path: RawPath, node: TreeNode): Pieces;
  /** The next bytes of the file begun last; together they are as many as its node says. */
  data(bytes: Uint8Array): Promise<Pieces>;
  endOfEntry(): Promise<Pieces>;
  finish(): Pieces;
}

import type { BlobId, RawPath } from '../bytes/ids.ts';
import type { Content } from '../repository/content.ts';

/**
 * What a source hands over: one file-system-like object each, as metadata and a content that says where its bytes
 * are. Contents are data, not handles, wherever possible, so that a worker can open them.
 *
 * Order. A source yields a depth-first walk: a directory's children, each strictly ascending by name in byte
 * order, then the directory itself (its entry closes it). Paths are relative to the snapshot's root, without a
 * leading '/', e.g. `home/ann/notes.txt`. Parents that no entry closes get plain metadata.
 */
export interface Entry {
  readonly path: RawPath;
  readonly metadata: Metadata;
  readonly content: Content;
}

/** Types of a node in restic's format. */
export type EntryType = 'file' | 'dir' | 'symlink' | 'dev' | 'chardev' | 'fifo' | 'socket' | 'irregular';

/** What restic's node records, apart from name and content. */
export interface Metadata {
  readonly type: EntryType;
  /** Go's FileMode: type bits as in the format document, setuid 1<<23, setgid 1<<22, sticky 1<<20, permissions. */
  readonly mode: number;
  /** Nanoseconds since 1970, may be negative. */
  readonly mtimeNs: bigint;
  readonly atimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly uid: number;
  readonly gid: number;
  /** Name of the owner; '' when unknown. */
  readonly user: string;
  readonly group: string;
  /** u64. */
  readonly inode: bigint;
  readonly deviceId: bigint;
  /** Of a file, bytes; 0 for everything else. */
  readonly sizeBytes: number;
  /** Hard links; 0 when unknown. */
  readonly links: bigint;
  /** Of a symlink, where it points, as stored. */
  readonly linkTarget?: RawPath;
  /** Undefined when there are none. In the order in which the system lists them, as restic keeps it. */
  readonly xattrs?: readonly ExtendedAttribute[];
  /** Of a device node, its number (st_rdev). */
  readonly device?: bigint;
}

export interface ExtendedAttribute {
  readonly name: string;
  /** null where restic stored no value: it was listed but couldn't be read. */
  readonly value: Uint8Array | null;
}

/** A node of a stored tree. */
export interface TreeNode extends Metadata {
  /** Bytes as they were on disk, see RawPath. */
  readonly name: RawPath;
  /** A file's chunks in order, [] for an empty one; null on everything that is no file. */
  readonly content: readonly BlobId[] | null;
  /** Of a directory: its tree. */
  readonly subtree?: BlobId;
  /** What went wrong when the node was made, as restic keeps it. */
  readonly error?: string;
  /** restic's generic_attributes, carried as they are. */
  readonly genericAttributes?: Readonly<Record<string, unknown>>;
}

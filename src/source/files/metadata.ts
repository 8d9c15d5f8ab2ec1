import { constants, readlinkSync, type BigIntStats } from 'node:fs';
import { rawPathOfByteString, systemPath, type RawPath } from '../../bytes/ids.ts';
import { errorCode, reasonOf } from '../../host/system-error.ts';
import { groupName, userName } from '../../host/users.ts';
import { getXattr, listXattrs } from '../../host/xattr.ts';
import type { EntryType, ExtendedAttribute, Metadata } from '../../snapshot/entry.ts';

export interface MetadataOptions {
  /** 'as-mtime': what is read only must not make every snapshot differ. */
  readonly atime: 'as-mtime' | 'kept';
  /** 'as-none-when-denied': of a folder above all targets, whose attributes are often not ours to read. */
  readonly xattrs: 'needed' | 'as-none-when-denied';
  /** What is missing in the result, for a warning. */
  readonly missing: (message: string) => void;
}

/** What restic records of a file system's object; 'irregular' for what it has no type for. */
export function metadataOf(path: RawPath, stat: BigIntStats, options: MetadataOptions): Metadata {
  const type = typeOf(stat);
  const xattrs = xattrsOf(path, options);
  return {
    type,
    mode: goFileMode(Number(stat.mode)),
    mtimeNs: stat.mtimeNs,
    atimeNs: options.atime === 'kept' ? stat.atimeNs : stat.mtimeNs,
    ctimeNs: stat.ctimeNs,
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    user: userName(Number(stat.uid)),
    group: groupName(Number(stat.gid)),
    inode: u64(stat.ino),
    deviceId: u64(stat.dev),
    sizeBytes: type === 'file' ? Number(stat.size) : 0,
    links: type === 'dir' || type === 'fifo' ? 0n : u64(stat.nlink),
    ...(type === 'symlink' && { linkTarget: readLink(path) }),
    ...(xattrs.length > 0 && { xattrs }),
    ...((type === 'dev' || type === 'chardev') && { device: u64(stat.rdev) }),
  };
}

const { S_IFMT, S_IFREG, S_IFDIR, S_IFLNK, S_IFBLK, S_IFCHR, S_IFIFO, S_IFSOCK } = constants;

/** Type and the bit of Go's FileMode that says so, by the system's. */
const types = new Map<number, readonly [EntryType, number]>([
  [S_IFREG, ['file', 0]],
  [S_IFDIR, ['dir', 2 ** 31]],
  [S_IFLNK, ['symlink', 2 ** 27]],
  [S_IFBLK, ['dev', 2 ** 26]],
  [S_IFCHR, ['chardev', 2 ** 26 + 2 ** 21]],
  [S_IFIFO, ['fifo', 2 ** 25]],
  [S_IFSOCK, ['socket', 2 ** 24]],
]);
const irregular = ['irregular', 2 ** 19] as const;

function typeOf({ mode }: BigIntStats): EntryType {
  const [type] = types.get(Number(mode) & S_IFMT) ?? irregular;
  return type;
}

/** setuid, setgid and sticky: the system's bit, Go's bit. */
const specialBits = [
  [0o4000, 2 ** 23],
  [0o2000, 2 ** 22],
  [0o1000, 2 ** 20],
] as const;

function goFileMode(mode: number): number {
  const [, typeBits] = types.get(mode & S_IFMT) ?? irregular;
  const special = specialBits.reduce((bits, [ours, gos]) => bits + ((mode & ours) === 0 ? 0 : gos), 0);
  return typeBits + special + (mode & 0o777);
}

/** Node reads the system's unsigned numbers as signed. */
function u64(value: bigint): bigint {
  return value < 0n ? BigInt.asUintN(64, value) : value;
}

function readLink(path: RawPath): RawPath {
  return rawPathOfByteString(readlinkSync(systemPath(path), 'latin1'));
}

/** In the system's order. One that can't be read is missing; one that has nothing to give has null, as in restic. */
function xattrsOf(path: RawPath, options: MetadataOptions): readonly ExtendedAttribute[] {
  return namesOf(path, options).flatMap((name): readonly ExtendedAttribute[] => {
    try {
      return [{ name, value: getXattr(path, name) }];
    } catch (error) {
      if (isAbsence(error)) return [{ name, value: null }];
      options.missing(`extended attribute ${name} can't be read: ${reasonOf(error)}`);
      return [];
    }
  });
}

const none: readonly string[] = [];

function namesOf(path: RawPath, options: MetadataOptions): readonly string[] {
  try {
    return listXattrs(path);
  } catch (error) {
    const code = errorCode(error);
    const denied = code === 'EACCES' || code === 'EPERM';
    if (isAbsence(error) || (denied && options.xattrs === 'as-none-when-denied')) return none;
    options.missing(`extended attributes can't be listed: ${reasonOf(error)}`);
    return none;
  }
}

/** The file system keeps none, or it went away since it was listed. */
function isAbsence(error: unknown): boolean {
  const code = errorCode(error);
  if (code === undefined) throw error;
  return code === 'ENOTSUP' || code === 'EOPNOTSUPP' || code === 'ENODATA' || code === 'ENOATTR';
}

import { mkdir, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { HoldfastError } from '../../errors/error.ts';
import { errnoOf, storageError } from './errors.ts';
import { syncFolder } from '../../host/lasting.ts';
import { ignoring } from './ignoring.ts';

/** The folder that a local storage is, told apart from whatever else may appear under its path. */
export interface Root {
  readonly path: string;
  readonly device: bigint;
  readonly inode: bigint;
}

export async function findRoot(path: string): Promise<Root> {
  const stats = await stat(path, { bigint: true }).catch((error: unknown) => {
    throw gone(path, error);
  });
  if (!stats.isDirectory()) throw new HoldfastError('storage-missing', `${path} is not a folder`);
  return { path, device: stats.dev, inode: stats.ino };
}

/**
 * Throws 'storage-missing' unless the folder is the one that was opened: where a disk was unmounted meanwhile, the
 * path leads to the empty mount point, on another device, which must not be filled.
 */
export async function checkRoot(root: Root): Promise<void> {
  const now = await findRoot(root.path);
  if (now.device === root.device && now.inode === root.inode) return;
  throw new HoldfastError(
    'storage-missing',
    `${root.path} is not the folder any more that was opened: was something mounted or unmounted?`,
  );
}

/** Makes the folder and those above it; durable when it resolves. */
export async function createRoot(path: string): Promise<void> {
  const parent = dirname(path);
  if (parent === path) return;
  try {
    await ignoring(['EEXIST'], mkdir(path, { mode: 0o700 }));
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw storageError(error, `cannot create ${path}`);
    await createRoot(parent);
    return createRoot(path);
  }
  await syncFolder(parent);
}

/** Modes of what is created: the owner's alone, or the group's too where the repository was made so. */
export interface Modes {
  readonly file: number;
  readonly folder: number;
}

/** As restic does it: who opened `config` to the group wants to share the whole repository with it. */
export async function modesOf(root: string): Promise<Modes> {
  const config = await stat(join(root, 'config')).catch(() => undefined); // whatever is wrong with it: not shared
  return config && (config.mode & 0o040) !== 0 ? { file: 0o440, folder: 0o770 } : { file: 0o400, folder: 0o700 };
}

/** File systems without hard links: FAT and exFAT. */
const linkless: readonly number[] = [0x4d44, 0x2011bab0];

/** Linux file systems that no other host writes to: ext, XFS, Btrfs, tmpfs, F2FS, ZFS. */
const ownKernels: readonly number[] = [0xef53, 0x58465342, 0x9123683e, 0x01021994, 0xf2f52010, 0x2fc12fc1];

export interface FileSystem {
  readonly hasHardLinks: boolean;
  /** Nothing of it is cached anywhere but in this host's kernel. */
  readonly isOwn: boolean;
}

export async function fileSystemOf(root: string): Promise<FileSystem> {
  const { type } = await statfs(root);
  return { hasHardLinks: !linkless.includes(type), isOwn: process.platform === 'linux' && ownKernels.includes(type) };
}

function gone(path: string, error: unknown): HoldfastError {
  const { code, message, cause } = storageError(error, `cannot open ${path}`);
  return new HoldfastError(code === 'storage-not-found' ? 'storage-missing' : code, message, { cause });
}

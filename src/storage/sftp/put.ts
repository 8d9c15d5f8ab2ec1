import { randomUUID } from 'node:crypto';
import { posix } from 'node:path';
import { HoldfastError } from '../../errors/error.ts';
import type { SftpClient } from './client.ts';
import { isThere, makeFolders, syncFolder, temporaryPrefix, whereModesAre } from './folders.ts';
import { hasStatus, statusCodes } from './status.ts';
import { writeAll, type Pace } from './transfer.ts';

export interface Modes {
  readonly file: number;
  readonly folder: number;
}

export interface PutWish extends Pace {
  readonly path: string;
  readonly data: readonly Uint8Array[];
  readonly modes: Modes;
  readonly whenThere: 'replace' | 'refuse';
}

/** 'taken': something is there already, and stays. */
export type PutOutcome = 'stored' | 'taken';

/**
 * Writes a file of a name that no key has, forces it to disk, and gives it its own name in one step; then forces the
 * folder. A crash leaves a temporary file at most.
 */
export async function putFile(client: SftpClient, wish: PutWish): Promise<PutOutcome> {
  const folder = posix.dirname(wish.path);
  const temporary = posix.join(folder, `${temporaryPrefix}${randomUUID()}`);
  try {
    await writeTemporary(client, temporary, wish);
    const outcome = await name(client, temporary, wish);
    await syncFolder(client, folder);
    return outcome;
  } catch (error) {
    await discard(client, temporary);
    throw hasStatus(error, statusCodes.failure) ? await fullOr(client, folder, wish, error) : error;
  }
}

async function writeTemporary(client: SftpClient, path: string, wish: PutWish): Promise<void> {
  const handle = await create(client, path, wish.modes);
  try {
    await writeAll(client, handle, wish.data, wish);
    await whereModesAre(client.setMode(handle, wish.modes.file));
    if (client.has('fsync')) await client.sync(handle);
  } finally {
    await client.close(handle);
  }
}

async function create(client: SftpClient, path: string, modes: Modes): Promise<Uint8Array> {
  try {
    return await client.createExclusive(path);
  } catch (error) {
    if (!hasStatus(error, statusCodes.noSuchFile)) throw error;
  }
  await makeFolders(client, posix.dirname(path), modes.folder);
  return await client.createExclusive(path);
}

async function name(client: SftpClient, temporary: string, { path, whenThere }: PutWish): Promise<PutOutcome> {
  if (whenThere === 'replace' && client.has('posixRename')) {
    await client.replace(temporary, path);
    return 'stored';
  }
  if (whenThere === 'replace') await removeIfThere(client, path);
  try {
    await give(client, temporary, path);
    return 'stored';
  } catch (error) {
    if (!(await isThere(client, path))) throw error;
    await discard(client, temporary);
    return 'taken';
  }
}

/** Fails where the name is taken. link(2) does so by itself; without it, who renames looks first. */
async function give(client: SftpClient, temporary: string, path: string): Promise<void> {
  if (client.has('hardlink')) {
    await client.link(temporary, path);
    await client.remove(temporary);
    return;
  }
  if (await isThere(client, path)) throw new HoldfastError('storage-exists', 'it is there already');
  await client.rename(temporary, path);
}

async function removeIfThere(client: SftpClient, path: string): Promise<void> {
  if (await isThere(client, path)) await client.remove(path);
}

/** Where even that fails it stays: nobody sees it, and `removeLeftovers` finds it. */
async function discard(client: SftpClient, path: string): Promise<void> {
  await client.remove(path).catch(() => undefined);
}

/** OpenSSH says 'Failure' and no more when the disk is full. */
async function fullOr(client: SftpClient, folder: string, { data }: PutWish, error: unknown): Promise<unknown> {
  const sizeBytes = data.reduce((sum, piece) => sum + piece.length, 0);
  const unknown = (): number => Infinity; // then the first failure is what is known
  const free = client.has('statvfs') ? await client.freeBytes(folder).catch(unknown) : Infinity;
  if (free > sizeBytes) return error;
  return new HoldfastError('storage-full', `no space left: ${free} bytes are free`, { cause: error });
}

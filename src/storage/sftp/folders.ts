import { posix } from 'node:path';
import { isSegment } from '../keys.ts';
import type { SftpClient } from './client.ts';
import type { Attributes } from './packet.ts';
import { hasStatus, statusCodes } from './status.ts';

export interface Found {
  /** Relative to where the walk began. */
  readonly path: string;
  readonly attributes: Attributes;
}

/** Starts every name that is in the making; '~' can't be in a key. */
export const temporaryPrefix = '~holdfast-';

const foldersAtOnce = 16;
/** As long as a key may be: what lies deeper is none of ours, however deep a server says that it goes. */
const longestPath = 1024;
const types = { mask: 0o170000, file: 0o100000, folder: 0o040000, link: 0o120000 } as const;

export function isFolder({ mode = 0 }: Attributes): boolean {
  return (mode & types.mask) === types.folder;
}

export function isFile({ mode = types.file }: Attributes): boolean {
  return (mode & types.mask) === types.file;
}

/** Every file below `folder` whose name is wanted, links followed, some folders at a time. */
export async function* walk(
  client: SftpClient,
  folder: string,
  wanted: (name: string) => boolean = isSegment,
): AsyncGenerator<Found, void> {
  const ahead = [''];
  while (ahead.length > 0) {
    const batch = ahead.splice(-foldersAtOnce);
    const all = await Promise.all(batch.map((path) => entriesOf(client, folder, path)));
    for (const { path, attributes } of all.flat()) {
      const name = posix.basename(path);
      if (isFile(attributes) && wanted(name)) yield { path, attributes };
      else if (isFolder(attributes) && isSegment(name) && path.length < longestPath) ahead.push(`${path}/`);
    }
  }
}

/** What a folder holds; nothing when it is gone. */
async function entriesOf(client: SftpClient, root: string, path: string): Promise<readonly Found[]> {
  const found: Found[] = [];
  try {
    for await (const entries of client.entries(posix.join(root, path))) {
      for (const { name, attributes } of entries) {
        if (name === '.' || name === '..' || name.includes('/')) continue;
        const known = isLink(attributes) ? await followed(client, posix.join(root, path, name)) : attributes;
        if (known) found.push({ path: path + name, attributes: known });
      }
    }
  } catch (error) {
    if (!hasStatus(error, statusCodes.noSuchFile)) throw error;
  }
  return found;
}

function isLink({ mode = 0 }: Attributes): boolean {
  return (mode & types.mask) === types.link;
}

async function followed(client: SftpClient, path: string): Promise<Attributes | undefined> {
  try {
    return await client.stat(path);
  } catch (error) {
    if (hasStatus(error, statusCodes.noSuchFile)) return undefined;
    throw error;
  }
}

/** Makes a folder and those above it; durable, as far as the server can. One that is there is left as it is. */
export async function makeFolders(client: SftpClient, path: string, mode: number): Promise<void> {
  if (await isThere(client, path)) return;
  const parent = posix.dirname(path);
  if (parent !== path) await makeFolders(client, parent, mode);
  try {
    await client.makeFolder(path, mode);
    await whereModesAre(client.setModeAt(path, mode));
  } catch (error) {
    if (!(await isThere(client, path))) throw error; // else another made it meanwhile
  }
  await syncFolder(client, parent);
}

/** Removes a folder and those below it, but what holds a file and what is above that. Links are left. */
export async function removeEmptyFolders(client: SftpClient, folder: string): Promise<void> {
  try {
    const entries = (await Array.fromAsync(client.entries(folder))).flat();
    const folders = entries.filter(({ name, attributes }) => isSegment(name) && isFolder(attributes));
    for (const { name } of folders) await removeEmptyFolders(client, posix.join(folder, name));
    await client.removeFolder(folder);
  } catch (error) {
    if (!hasStatus(error, statusCodes.noSuchFile, statusCodes.failure)) throw error; // 'failure': it isn't empty
  }
}

/** Modes are a protection against mishaps; some servers know none. */
export async function whereModesAre(setting: Promise<void>): Promise<void> {
  try {
    await setting;
  } catch (error) {
    if (!hasStatus(error, statusCodes.unsupported, statusCodes.permissionDenied)) throw error;
  }
}

export async function isThere(client: SftpClient, path: string): Promise<boolean> {
  return (await followed(client, path)) !== undefined;
}

/**
 * Makes the names in a folder survive a power cut. OpenSSH opens a folder as if it were a file, which is all that
 * fsync needs; where a server doesn't, its file system alone decides.
 */
export async function syncFolder(client: SftpClient, path: string): Promise<void> {
  if (!client.has('fsync')) return;
  try {
    const handle = await client.openForReading(path);
    try {
      await client.sync(handle);
    } finally {
      await client.close(handle);
    }
  } catch (error) {
    if (!hasStatus(error, statusCodes.failure, statusCodes.permissionDenied, statusCodes.unsupported)) throw error;
  }
}

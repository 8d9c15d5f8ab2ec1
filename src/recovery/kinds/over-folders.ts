import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import * as z from 'zod';
import { HoldfastError } from '../../errors/error.ts';
import { ForeignFolder } from '../../host/foreign-folder.ts';
import { isMountPoint } from '../../host/mount-point.ts';
import { errorCode, reasonOf } from '../../host/system-error.ts';
import { currentUser } from '../../host/users.ts';
import type { OverPart } from '../../source/in-place.ts';
import { writeWhole } from './durable.ts';
import type { Places } from './places.ts';

const form = z.record(z.string(), z.enum(['mount point', 'folder']));

/** Folders that a restore over a place has begun with, by what each was then. */
type Folders = z.infer<typeof form>;

/**
 * 'refused' where a folder that was begun with is gone: a disk that isn't mounted any more is not restored beneath. What an
 * earlier plan began with, and this one doesn't write to, may be gone.
 */
export function assertFoldersThere(places: Places, parts: readonly OverPart[]): void {
  const begun = foldersIn(places);
  for (const { to } of parts) {
    const { [to]: was } = begun;
    if (was === undefined || (existsSync(to) && (was === 'folder' || isMountPoint(to)))) continue;
    const what = existsSync(to) ? 'nothing is mounted there any more' : 'it is gone';
    throw new HoldfastError('refused', `${to} is restored over in part, and ${what}`, {
      next: `Mount its disk, and run the command again. If the disk is lost, put another in its place, and make ${to}, owned by the user of the server.`,
    });
  }
}

/** Makes those that nothing has begun with, as another's user for the user of the place, and notes all. */
export async function haveFolders(places: Places, parts: readonly OverPart[]): Promise<void> {
  const begun = foldersIn(places);
  const fresh = parts.map(({ to }) => to).filter((to) => begun[to] === undefined);
  if (fresh.length === 0) return;
  for (const to of fresh) if (!existsSync(to)) makeFolder(to, places.live);
  const now = fresh.map((to) => [to, isMountPoint(to) ? 'mount point' : 'folder'] as const);
  await writeWhole(noteAt(places), JSON.stringify({ ...begun, ...Object.fromEntries(now) }));
}

/** Through a descriptor: whom the folder above belongs to can put a link there before it is given away. */
function makeFolder(path: string, place: string): void {
  using live = ForeignFolder.open(place);
  using above = ForeignFolder.open(dirname(path), 'followed');
  using _made = above.newFolder(basename(path), { owner: currentUser().uid === 0 ? live.stat() : undefined });
  above.sync();
}

function noteAt({ root }: Pick<Places, 'root'>): string {
  return join(root, 'folders');
}

function foldersIn(places: Places): Folders {
  const path = noteAt(places);
  try {
    return form.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return {};
    throw new HoldfastError('refused', `${path} can’t be read: ${reasonOf(error)}`, { cause: error });
  }
}

import { chmod, chown, mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { currentUser } from '../../host/users.ts';
import type { Description } from './description.ts';
import { isolatedSettings, settingLines } from './isolated-settings.ts';

/** The folder of our own beside the data directory: configuration, socket, and what the server says. */
export const ownFolder = '.holdfast';

/** Whom the server runs as. */
export interface DataOwner {
  readonly uid: number;
  readonly gid: number;
}

const nobody = 65534;

/**
 * Makes what was restored ready to be started: with a configuration of our own alone, so that it neither follows, nor
 * archives, nor listens, nor loads what production loads.
 */
export async function prepareData(restored: string, data: string, description: Description): Promise<DataOwner> {
  const folder = join(restored, ownFolder);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(join(folder, 'postgresql.conf'), settings(description));
  await writeFile(join(folder, 'pg_hba.conf'), 'local all all trust\n');
  await writeFile(join(folder, 'pg_ident.conf'), '');
  await writeFile(join(data, 'postgresql.auto.conf'), '');
  await chmod(restored, 0o755);
  const owner = await ownerOf(data);
  for (const path of [folder, ...['postgresql.conf', 'pg_hba.conf', 'pg_ident.conf'].map((name) => join(folder, name))])
    if (currentUser().uid === 0) await chown(path, owner.uid, owner.gid);
  return owner;
}

async function ownerOf(data: string): Promise<DataOwner> {
  const { uid, gid } = await stat(data);
  return uid === 0 && currentUser().uid === 0 ? { uid: nobody, gid: nobody } : { uid, gid };
}

/** As the sandbox sees it. */
export const inside = `/run/holdfast/${ownFolder}`;

const mib = 2 ** 20;

/** A server asks for room for two segments at least, and its own settings are for segments of 16 MiB. */
function logRoom(segmentBytes: number): Readonly<Record<string, string>> {
  const segmentMib = segmentBytes / mib;
  return {
    min_wal_size: `${Math.max(80, 5 * segmentMib)}MB`,
    max_wal_size: `${Math.max(1024, 20 * segmentMib)}MB`,
  };
}

function settings({ capacities, walSegmentBytes }: Description): string {
  const own: Readonly<Record<string, string>> = {
    ...isolatedSettings,
    unix_socket_directories: inside,
    hba_file: `${inside}/pg_hba.conf`,
    ident_file: `${inside}/pg_ident.conf`,
    fsync: 'off',
    max_parallel_workers_per_gather: '0',
    ...logRoom(walSegmentBytes),
  };
  const enough = Object.entries(capacities).filter(([, value]) => value !== '');
  return settingLines({ ...own, ...Object.fromEntries(enough) });
}

import { join } from 'node:path';
import { ForeignFolder } from '../../host/foreign-folder.ts';
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
export function prepareData(restored: string, folder: string, description: Description): DataOwner {
  using whole = ForeignFolder.open(restored, 'followed');
  using component = whole.folder(folder);
  using data = component.folder('data');
  const owner = ownerOf(data);
  const given = { owner: currentUser().uid === 0 ? owner : undefined };
  using own = whole.folderMade(ownFolder, given);
  own.put('postgresql.conf', settings(description), given);
  own.put('pg_hba.conf', 'local all all trust\n', given);
  own.put('pg_ident.conf', '', given);
  data.put('postgresql.auto.conf', '', given);
  whole.setMode(0o755);
  return owner;
}

function ownerOf(data: ForeignFolder): DataOwner {
  const { uid, gid } = data.stat();
  return uid === 0 && currentUser().uid === 0 ? { uid: nobody, gid: nobody } : { uid, gid };
}

/** The last words of a server; '' where it said none. */
export function serverLog(restored: string): string {
  using own = ForeignFolder.open(join(restored, ownFolder));
  return own.text('log') ?? '';
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

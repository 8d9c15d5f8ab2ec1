import { chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFileSystem } from '../../../host/sync.ts';
import type { Replay, Replayed } from '../../recovery.ts';
import type { Description } from '../description.ts';
import { settingLines } from '../isolated-settings.ts';
import { always, dataIn, ownerOf, writeOwned } from './data-files.ts';
import { quoted, targetSettings } from './settings.ts';
import { segmentNameAt } from './wal-name.ts';

/**
 * Where this host has no programs that could replay: the log is laid beside the data directory as files, by which a server
 * of the right major, started on it anywhere, comes to the moment by itself.
 */
export async function leavePrepared(replay: Replay, { major, walSegmentBytes }: Description): Promise<Replayed> {
  const { folder, feed, signal } = replay;
  const [data, log] = [dataIn(folder), join(folder, 'log')];
  const owner = await ownerOf(data);
  await mkdir(log, { recursive: true, mode: 0o700 });
  const lay = async (name: string, bytes: Uint8Array | undefined): Promise<void> => {
    if (bytes === undefined) return;
    await writeFile(join(log, name), bytes, { mode: 0o600 });
    if (owner !== undefined) await chown(join(log, name), owner.uid, owner.gid);
  };
  if (owner !== undefined) await chown(log, owner.uid, owner.gid);
  for (const { epoch, from } of feed.order)
    await lay(segmentNameAt(epoch, from, walSegmentBytes), await feed.segment(epoch, from));
  for (let epoch = 2; epoch <= replay.epoch; epoch++)
    await lay(`${epoch.toString(16).toUpperCase().padStart(8, '0')}.history`, await feed.history(epoch));
  // What isn't there was held by nobody: a copy that fails says just that.
  const fetch = `test ! -e ${quoted(log)}/%f && exit 1; cp ${quoted(log)}/%f %p || exit 200`;
  const settings = { ...always, restore_command: fetch, ...targetSettings(replay) };
  await writeOwned(join(data, 'postgresql.auto.conf'), settingLines(settings), owner);
  await syncFileSystem(folder, signal); // it waits for somebody, for who knows how long
  return {
    state: 'prepared',
    reason: `there are no programs of PostgreSQL ${major} on this host; the log is laid into ${log}`,
    next:
      `Where there are some: \`postgres -D ${data} -c allow_in_place_tablespaces=on\` replays it and is a cluster of its own then. ` +
      'Afterwards take restore_command and recovery_target… out of its postgresql.auto.conf.',
  };
}

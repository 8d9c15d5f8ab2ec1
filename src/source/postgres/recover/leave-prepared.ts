import { join } from 'node:path';
import { syncFileSystem } from '../../../host/sync.ts';
import type { Replay, Replayed } from '../../recovery.ts';
import type { Description } from '../description.ts';
import { settingLines } from '../isolated-settings.ts';
import { always } from './data-files.ts';
import { quoted, targetSettings } from './settings.ts';
import { segmentNameAt } from './wal-name.ts';
import { dataIn, Workplace } from './workplace.ts';

/**
 * Where this host has no programs that could replay: the log is laid beside the data directory as files, by which a server
 * of the right major, started on it anywhere, comes to the moment by itself.
 */
export async function leavePrepared(replay: Replay, { major, walSegmentBytes }: Description): Promise<Replayed> {
  const { folder, feed, signal } = replay;
  const [data, log] = [dataIn(folder), join(folder, 'log')];
  using at = Workplace.open(folder);
  const { owner } = at;
  using files = at.folder.folderMade('log', { owner });
  const lay = (name: string, bytes: Uint8Array | undefined): void => {
    if (bytes !== undefined) files.put(name, bytes, { owner });
  };
  for (const { epoch, from } of feed.order)
    lay(segmentNameAt(epoch, from, walSegmentBytes), await feed.segment(epoch, from));
  for (let epoch = 2; epoch <= replay.epoch; epoch++)
    lay(`${epoch.toString(16).toUpperCase().padStart(8, '0')}.history`, await feed.history(epoch));
  // What isn't there was held by nobody: a copy that fails says just that.
  const fetch = `test ! -e ${quoted(log)}/%f && exit 1; cp ${quoted(log)}/%f %p || exit 200`;
  const settings = { ...always, restore_command: fetch, ...targetSettings(replay) };
  at.data.put('postgresql.auto.conf', settingLines(settings), { owner });
  await syncFileSystem(folder, signal); // it waits for somebody, for who knows how long
  return {
    state: 'prepared',
    reason: `there are no programs of PostgreSQL ${major} on this host; the log is laid into ${log}`,
    next:
      `Where there are some: \`postgres -D ${data} -c allow_in_place_tablespaces=on\` replays it and is a cluster of its own then. ` +
      'Afterwards take restore_command and recovery_target… out of its postgresql.auto.conf.',
  };
}

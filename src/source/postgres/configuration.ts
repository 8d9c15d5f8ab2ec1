import { rawPathOf } from '../../bytes/ids.ts';
import type { Listener } from '../../events/events.ts';
import type { Content, StoredContent } from '../../repository/content.ts';
import type { ServerConnection } from './connect.ts';
import { readConfiguration, type ServerFacts } from './server.ts';
import { Spool } from './spool.ts';

export interface Configuration extends Disposable {
  readonly spool: Spool;
  /** Absolute paths of those that are in it. */
  readonly files: readonly string[];
}

interface Gathering {
  readonly listener: Listener;
  readonly store: (content: Content) => Promise<StoredContent>;
}

/**
 * The files of the configuration that stand outside of the data directory, as Debian has them. One that the role may
 * not read is a warning: a restored cluster would come up with other settings than production has.
 */
export async function gatherConfiguration(
  server: ServerConnection,
  { configuration, dataDirectory }: ServerFacts,
  { listener, store }: Gathering,
): Promise<Configuration> {
  const warn = (item: string, message: string): void => listener({ kind: 'warning', during: 'scan', item, message });
  if (dataDirectory === undefined) warn('configuration', unseen);
  const outside = configuration.filter((path) => path.startsWith('/') && !path.startsWith(`${dataDirectory}/`));
  const spool = new Spool();
  const files: string[] = [];
  for (const path of outside) {
    const file = await readConfiguration(server, path);
    if (file === undefined) {
      warn(path, 'left out: the role may not read it; grant pg_read_server_files to it');
      continue;
    }
    const stored = await store({ kind: 'bytes', bytes: file.bytes });
    const facts = { type: 'file', mode: 0o600, uid: 0, gid: 0, mtimeNs: file.mtimeNs, crc32c: 0 } as const;
    spool.addFile({ ...facts, path: rawPathOf(path.slice(1)), sizeBytes: file.bytes.length, stored });
    files.push(path);
  }
  return { spool, files, [Symbol.dispose]: () => spool[Symbol.dispose]() };
}

const unseen =
  'whether a part of it stands outside of the data directory can’t be seen, and would be missing: grant pg_read_all_settings to the role';

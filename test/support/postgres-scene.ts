import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { mkdir, readdir, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { asServer, giveToServer } from '../servers/postgres-user.ts';
import { startPostgresVersion, type PostgresMajor, type PostgresServer } from '../servers/postgres-versions.ts';
import { resticOk } from '../servers/restic.ts';
import { holdfastProgram } from './holdfast.ts';
import { runOk } from './run-program.ts';
import type { TempDir } from './temp-dir.ts';
import { cheapNear, sceneAt, type Scene } from './verifying.ts';

/** One repository, and a cluster as the component shop-db with one rule. */
export async function shopScene(
  folder: string,
  url: string,
  {
    options = '',
    more = '',
    method = 'physical',
  }: { readonly options?: string; readonly more?: string; readonly method?: 'physical' | 'logical' } = {},
): Promise<Scene> {
  if (!existsSync(join(folder, 'near'))) await cheapNear(folder);
  await writeFile(join(folder, 'url'), url);
  return await sceneAt(
    folder,
    `repositories:
  near: { url: DIR/near, password: { file: DIR/password } }
components:
  shop-db:
    postgres: { url: { file: DIR/url }, ${options} }
    backups: { full: { method: ${method}, at: "02:00", to: { near: { keep: { daily: 7 } } } } }
${more}`,
  );
}

/** An empty folder of the server's user. */
export async function folderFor({ running }: Pick<PostgresServer, 'running'>, name: string): Promise<string> {
  const folder = running.dir.file(name);
  await mkdir(folder);
  await giveToServer(folder);
  return folder;
}

/** Has somebody who is not root verify shop-db of a scene, by the program; resolves with what it says. */
export async function verifiedByAnybody(dir: TempDir): Promise<string> {
  const { path } = dir;
  await runOk('chown', ['-R', '65534:65534', path]);
  const folders = ['--state-dir', dir.file('own-state'), '--cache-dir', dir.file('own-cache')];
  const env = { HOME: path, HOLDFAST_CONFIG: undefined, RESTIC_REPOSITORY: undefined };
  const [program, ...words] = asServer([holdfastProgram, ...folders, 'verify', 'shop-db']);
  const said = await runOk(program, words, { cwd: path, env });
  return said.toString();
}

/** What a copy needs so that it neither follows nor harms production. */
const copySettings = ['archive_mode=off', 'allow_in_place_tablespaces=on'] as const;

/** Restores the newest snapshot of shop-db below `folder` by restic alone; resolves with the data directory. */
export async function restoreByRestic({ file }: Pick<Scene, 'file'>, folder: string): Promise<string> {
  const at = { repository: file('near'), password: 'secret' };
  await mkdir(folder);
  await giveToServer(folder);
  await resticOk('0.19.1', at, ['restore', 'latest', '--tag', 'hf.component=shop-db', '--target', folder]);
  await runOk('chmod', ['-R', 'a+rX', join(folder, 'shop-db', 'configuration')]).catch(() => undefined);
  return join(folder, 'shop-db', 'data');
}

/** Starts a server of its own on a data directory that was restored. */
export async function startCopy(
  major: PostgresMajor,
  data: string,
  settings: readonly string[] = [],
): Promise<PostgresServer> {
  return await startPostgresVersion({ major, data, settings: [...copySettings, ...settings] });
}

/** Each file of the databases, by its path, with the hash of what is in it. */
export async function databaseFiles(folders: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  for (const folder of folders) {
    const found = await readdir(folder, { recursive: true, withFileTypes: true });
    for (const { parentPath, name } of found.filter((one) => one.isFile())) {
      const hash = createHash('sha256');
      await pipeline(createReadStream(join(parentPath, name)), hash);
      files.set(join(parentPath, name), hash.digest('hex'));
    }
    for (const { parentPath, name } of found.filter((one) => one.isSymbolicLink()))
      files.set(join(parentPath, name), await readlink(join(parentPath, name)));
  }
  return files;
}

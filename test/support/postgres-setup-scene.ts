import assert from 'node:assert/strict';
import { chmod, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { giveToServer } from '../servers/postgres-user.ts';
import type { RunResult } from './run-program.ts';
import { servedAsServer } from './served-as-server.ts';
import { served } from './served.ts';
import { jsonLines, type JsonRecord } from './scene.ts';
import { tempDir, type TempDir } from './temp-dir.ts';
import { cheapNear } from './verifying.ts';

/** `postgres setup shop-db`, by a process that answers one command after another. */
export interface SetupScene extends AsyncDisposable {
  readonly dir: TempDir;
  readonly run: (...args: readonly string[]) => Promise<SetUp>;
  /** What is recorded of the component. */
  readonly records: () => Promise<readonly JsonRecord[]>;
  readonly pointTo: (url: string) => Promise<void>;
}

export interface SetUp {
  readonly code: number | null;
  readonly stderr: string;
  readonly applied: readonly string[];
  readonly items: ReadonlyMap<string, Item>;
  /** Names of those that are not as they are wanted. */
  readonly left: readonly string[];
}

interface Item {
  readonly state: string;
  readonly found: string;
  readonly wanted?: string;
  readonly where?: string;
  readonly lines: readonly string[];
}

interface SceneOptions {
  /** Where the repository's is. */
  readonly password?: string;
  /** More of the component's own. */
  readonly options?: string;
  /** Without it the server's user, whose an archive is. */
  readonly by?: 'us';
}

/** Its repository holds nothing. */
export async function setupScene(
  url: string,
  log = '',
  { password = '', options = '', by }: SceneOptions = {},
): Promise<SetupScene> {
  const dir = await tempDir();
  await cheapNear(dir.path);
  await writeFile(dir.file('password'), 'secret');
  await chmod(dir.path, 0o755);
  const pointTo = async (address: string): Promise<void> => await writeFile(dir.file('url'), address);
  await pointTo(url);
  await writeFile(
    dir.file('holdfast.yaml'),
    `version: 1
repositories: { near: { url: ${dir.file('near')}, password: { ${password || `file: ${dir.file('password')}`} } } }
components:
  shop-db:
    postgres: { url: { file: ${dir.file('url')} }, ${options} }
    backups: { full: { at: "02:00", to: { near: { keep: { daily: 7 } } } } }
    ${log}
`,
  );
  await owned(dir.path);
  const own = ['--json', '--config', dir.file('holdfast.yaml'), '--state-dir', dir.file('state'), '--no-cache'];
  const call = async (...args: readonly string[]): Promise<RunResult> => {
    const env = { PATH: process.env['PATH'] ?? '', HOME: dir.path };
    const command = { args: [...args, ...own], env, cwd: dir.path };
    return by === 'us' ? await served(command) : await servedAsServer(command);
  };
  const run = async (...args: readonly string[]): Promise<SetUp> => {
    const { code, stdout, stderr } = await call('postgres', 'setup', 'shop-db', ...args);
    return { code, stderr, ...outcomeOf(jsonLines(stdout.toString())) };
  };
  const records = async (): Promise<readonly JsonRecord[]> =>
    jsonLines((await call('records', '--component', 'shop-db')).stdout.toString());
  return { dir, run, pointTo, records, [Symbol.asyncDispose]: async () => await dir[Symbol.asyncDispose]() };
}

/** Hands a folder with all that is in it to the user of the server. */
export async function owned(folder: string): Promise<void> {
  for (const name of ['', ...(await readdir(folder, { recursive: true }))]) await giveToServer(join(folder, name));
}

function outcomeOf(records: readonly JsonRecord[]): Pick<SetUp, 'applied' | 'items' | 'left'> {
  const of = (type: string): readonly JsonRecord[] => records.filter((one) => one['message_type'] === type);
  const items = new Map(of('setup_item').map((record) => [String(record['name']), itemOf(record)]));
  assert.equal(items.size, of('setup_item').length, 'each item has a name of its own');
  const left = [...items].filter(([, { state }]) => ['to apply', 'by hand', 'unknown'].includes(state));
  return { applied: of('setup_applied').map(({ name }) => String(name)), items, left: left.map(([name]) => name) };
}

function itemOf({ state, found, wanted, lines }: JsonRecord): Item {
  const { where, text } = (lines ?? {}) as { readonly where?: string; readonly text?: readonly string[] };
  return {
    state: String(state),
    found: String(found),
    lines: text ?? [],
    ...(typeof wanted === 'string' ? { wanted } : {}),
    ...(where === undefined ? {} : { where }),
  };
}

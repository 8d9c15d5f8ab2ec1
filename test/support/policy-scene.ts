import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { definedOf, outputOf } from './holdfast.ts';
import type { RunResult } from './run-program.ts';
import { jsonLines, type JsonRecord } from './scene.ts';
import { served } from './served.ts';
import { tempDir, type TempDir } from './temp-dir.ts';
import { cheapRepositories } from './two-tools.ts';

/** A policy in a folder of its own, with the component `uploads` and two repositories, `near` and `far`, that are there. */
export interface PolicyScene extends AsyncDisposable {
  readonly dir: TempDir;
  /** What its one component backs up: `file` with 'first', `sub/other`. */
  readonly source: string;
  /** By test/support/served.ts. */
  readonly run: (args: readonly string[], env?: Readonly<Record<string, string>>) => Promise<RunResult>;
  /** The standard output; fails with what was said unless it exits with 0. */
  readonly ok: (...args: readonly string[]) => Promise<string>;
  /** The records of a kind, as `records --json` prints them. */
  readonly recorded: (kind: string) => Promise<readonly JsonRecord[]>;
}

const secret = 'not for records';

export async function policyScene(more = ''): Promise<PolicyScene> {
  const dir = await tempDir();
  const source = dir.file('data');
  await mkdir(`${source}/sub`, { recursive: true });
  await writeFile(`${source}/file`, 'first\n');
  await writeFile(`${source}/sub/other`, 'other\n');
  await writeFile(dir.file('password'), secret);
  await cheapRepositories([dir.file('near'), dir.file('far')], secret);
  await writeFile(dir.file('holdfast.yaml'), policyText(dir, more));
  const env = definedOf({ ...process.env, HOLDFAST_CONFIG: undefined, RESTIC_REPOSITORY: undefined });
  const own = ['--cache-dir', dir.file('cache'), '--state-dir', dir.file('state')];
  const run: PolicyScene['run'] = async (args, given = {}) =>
    await served({ args: [...own, ...args], cwd: dir.path, env: { ...env, ...given } });
  const ok: PolicyScene['ok'] = async (...args) => outputOf(args, await run(args));
  const recorded: PolicyScene['recorded'] = async (kind) => jsonLines(await ok('records', '--kind', kind, '--json'));
  return { dir, source, run, ok, recorded, [Symbol.asyncDispose]: async () => await dir[Symbol.asyncDispose]() };
}

/** What a record says. */
export function dataOf(record: JsonRecord | undefined): JsonRecord {
  const data = record?.['data'];
  assert.ok(typeof data === 'object' && data !== null);
  return { ...data };
}

export function policyText({ file }: Pick<TempDir, 'file'>, more: string): string {
  const repository = (name: string): string => `{ url: ${file(name)}, password: { file: ${file('password')} } }`;
  return `version: 1
repositories:
  near: ${repository('near')}
  far: ${repository('far')}
components:
  uploads:
    files: { paths: [${file('data')}] }
    backups: { hourly: { every: 1h, to: { near: { keep: { last: 7 } }, far: { keep: { last: 7 } } } } }
${more}`;
}

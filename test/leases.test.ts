import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { lockFile } from '../src/host/file-lock.ts';
import { holdfastProgram } from './support/holdfast.ts';
import { runProgram, type RunResult } from './support/run-program.ts';
import { tempDir, type TempDir } from './support/temp-dir.ts';
import { cheapRepository } from './support/two-tools.ts';

const options = (dir: TempDir): { cwd: string; env: Readonly<Record<string, undefined>> } => ({
  cwd: dir.path,
  env: { HOLDFAST_CONFIG: undefined, RESTIC_REPOSITORY: undefined },
});

async function run(dir: TempDir, ...args: readonly string[]): Promise<RunResult> {
  return await runProgram(holdfastProgram, ['--no-cache', '--state-dir', dir.file('state'), ...args], options(dir));
}

/** Ends no dump before one of each component has begun; gives up after a minute. */
function untilAllRun(dir: TempDir): string {
  const others = `[ "$(ls ${dir.file('begun')} | wc -l)" -lt 3 ]`;
  return `touch ${dir.file('begun')}/$1; n=0; while ${others} && [ $n -lt 3000 ]; do sleep 0.02; n=$((n+1)); done; echo text\n`;
}

async function policy(dir: TempDir, url: string): Promise<void> {
  await mkdir(dir.file('begun'));
  await writeFile(dir.file('password'), 'secret');
  const rule = '{ every: 1h, to: { near: { keep: { last: 9 } } } }';
  const component = (name: string): string =>
    `  ${name}: { command: { dump: ${JSON.stringify(`sh ${dir.file('dump')} ${name}`)} }, backups: { r: ${rule} } }\n`;
  await writeFile(dir.file('dump'), untilAllRun(dir));
  const repository = `  near: { url: "${url}", password: { file: ${dir.file('password')} } }`;
  const components = ['one', 'two', 'three'].map(component).join('');
  await writeFile(dir.file('holdfast.yaml'), `version: 1\nrepositories:\n${repository}\ncomponents:\n${components}`);
}

async function snapshots(dir: TempDir): Promise<readonly string[]> {
  const { stdout } = await run(dir, 'snapshots', '--json');
  const points = JSON.parse(stdout.toString()) as readonly { readonly component: string }[];
  return points.map(({ component }) => component).toSorted((a, b) => a.localeCompare(b));
}

test('several backups at once run each rule once, and nobody’s run is lost', async () => {
  await using dir = await tempDir();
  await policy(dir, dir.file('near'));
  await cheapRepository(dir.file('near'));
  const all = await Promise.all(Array.from({ length: 3 }, () => run(dir, 'backup', '--all')));
  for (const { code, stderr } of all) assert.equal(code, 0, stderr);
  const told = all.map(({ stdout }) => stdout.toString()).join('');
  assert.match(told, /left to (?:process \d+ on|another process)|done meanwhile by process \d+ on /);
  assert.deepEqual(await snapshots(dir), ['one', 'three', 'two']);
  assert.equal((await run(dir, 'backup', 'one')).code, 0);
  assert.deepEqual(await snapshots(dir), ['one', 'one', 'three', 'two']);
});

test('where no repository can hold a lease, this host’s own lock serves', async () => {
  await using dir = await tempDir();
  await policy(dir, 'rest:http://127.0.0.1:1/');
  await mkdir(dir.file('state/locks'), { recursive: true });
  const lock = lockFile(dir.file('state/locks/one-r'));
  assert.ok(typeof lock === 'object');
  using _held = lock;
  const held = await run(dir, 'backup', 'one');
  assert.equal(held.code, 0, held.stderr);
  assert.match(held.stdout.toString(), /left to another process of this host, which runs it just now/);
  const tagged = await run(dir, 'backup', 'one', '--tag', 'before');
  assert.equal(tagged.code, 3, tagged.stderr);
  assert.match(tagged.stderr, /one: no snapshot has the tag before by this/);
});

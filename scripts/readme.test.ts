import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { runOk } from '../test/support/run-program.ts';
import { tempDir } from '../test/support/temp-dir.ts';
import { root } from './tree.ts';

/** The README's shell blocks, in order. */
async function shellBlocks(): Promise<readonly string[]> {
  const page = await readFile(join(root, 'README.md'), 'utf8');
  return [...page.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = '']) => block);
}

function isNpm(line: string): boolean {
  return line.startsWith('npm ');
}

async function runBlock(block: string, home: string): Promise<void> {
  const env = {
    HOME: home,
    CI: undefined,
    NODE_TEST_CONTEXT: undefined,
    HOLDFAST_STATE_DIR: join(home, 'state'),
    PATH: `${join(root, 'bin')}:${process.env['PATH']}`,
  };
  await runOk('sh', ['-e', '-c', block], { cwd: root, env, timeoutMs: 120_000 });
}

test('the npm commands of the README are npm start and those that .ci/run runs', async () => {
  const lines = (await shellBlocks()).flatMap((block) => block.trim().split('\n')).filter(isNpm);
  const ci = await readFile(join(root, '.ci/run'), 'utf8');
  const elsewhere = lines.filter((line) => !ci.includes(line));
  assert.deepEqual(elsewhere, ['npm start']);
});

test('npm start succeeds', async () => {
  await using home = await tempDir();
  await runBlock('npm start', home.path);
});

test('every other block of the README runs as it stands, and the first backup restores', async () => {
  await using home = await tempDir();
  await mkdir(home.file('documents'));
  await writeFile(home.file('documents', 'letter'), 'Dear reader');
  const blocks = (await shellBlocks()).filter((block) => !block.split('\n').some(isNpm));
  assert.ok(blocks.length > 0);
  for (const block of blocks) await runBlock(block, home.path);
  const restored = home.file('restored', home.file('documents', 'letter'));
  assert.equal(await readFile(restored, 'utf8'), 'Dear reader');
  assert.deepEqual((await readdir(home.file('team'))).toSorted(), ['far', 'holdfast.yaml', 'near']);
});

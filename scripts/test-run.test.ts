import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { runOk } from '../test/support/run-program.ts';
import { tempDir } from '../test/support/temp-dir.ts';

const support = new URL('../test/support/proof.ts', import.meta.url).href;
const runner = new URL('test-run.ts', import.meta.url).href;

/** What the runner makes of test files with these bodies; in a process of its own, as a run can't hold another. */
async function outcome(
  bodies: readonly string[],
  env: Readonly<Record<string, string | undefined>> = {},
  longestFileMs = 60_000,
): Promise<unknown> {
  return JSON.parse((await output(bodies, env, longestFileMs)).trim().split('\n').at(-1) ?? '');
}

/** Whose last line is the outcome. */
async function output(
  bodies: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  longestFileMs: number,
): Promise<string> {
  await using dir = await tempDir();
  const files = bodies.map((_, index) => dir.file(`${index}.test.ts`));
  for (const [index, body] of bodies.entries()) {
    await writeFile(files[index] ?? '', `import { test } from 'node:test';\n${body}`);
  }
  const main = dir.file('main.ts');
  await writeFile(
    main,
    `import { runTests } from ${JSON.stringify(runner)};
    const { failures, ...counts } = await runTests(${JSON.stringify(files)}, { longestFileMs: ${longestFileMs} });
    if (failures.length !== counts.failed) throw new Error('each failure is to be said again at the end');
    console.log(JSON.stringify(counts));`,
  );
  const options = { env: { CI: undefined, NODE_TEST_CONTEXT: undefined, ...env } };
  return (await runOk(process.execPath, [main], options)).toString();
}

const passing = `test('passes', () => {});`;

test('passed, failed and skipped tests are counted, and a parent fails only once with its child', async () => {
  const mixed = `${passing} test('p', async (t) => { await t.test('c', () => { throw new Error('x'); }); });`;
  const skipped = `test('s', { skip: 'root: needs to run as root' }, () => {});`;
  assert.deepEqual(await outcome([mixed, skipped]), { passed: 1, failed: 1, skipped: 1, proofs: [] });
});

test('a file that holds no test, does not parse or throws is a failure, and so is a run without tests', async () => {
  const files = ['', 'const x: = 1;', `throw new Error('top');`];
  assert.deepEqual(await outcome(files), { passed: 0, failed: 3, skipped: 0, proofs: [] });
  assert.deepEqual(await outcome([]), { passed: 0, failed: 1, skipped: 0, proofs: [] });
});

test('a file whose process ends beside its tests is told by what', async () => {
  assert.match(await output([`${passing} process.kill(process.pid, 'SIGKILL');`], {}, 60_000), /signal SIGKILL/);
  assert.match(await output([`${passing} process.exit(7);`], {}, 60_000), /exitCode 7/);
});

test('CI accepts a skip that test/absences.ts accepts, and no other', async () => {
  const skips = ['root: needs to run as root', 'go: no Go toolchain to build the peer with', 'slow'];
  const body = skips.map((skip) => `test('s', { skip: ${JSON.stringify(skip)} }, () => {});`).join('\n');
  assert.deepEqual(await outcome([passing, body], { CI: 'true' }), { passed: 1, failed: 2, skipped: 1, proofs: [] });
});

test('what a test says that it has proven is kept', async () => {
  const body = `import { prove } from ${JSON.stringify(support)};
    test('kills', (t) => prove(t, { claim: 'nothing is lost', count: '20 kills', seeds: [7] }));`;
  const proofs = [{ claim: 'nothing is lost', test: 'kills', count: '20 kills', seeds: ['7'] }];
  assert.deepEqual(await outcome([body]), { passed: 1, failed: 0, skipped: 0, proofs });
});

test('a file that does not end is ended and fails by its name, and what ran beside it counts', async () => {
  const hangs = `test('waits', () => { setInterval(() => {}, 1000); return new Promise(() => {}); });`;
  const goesOn = `test('leaves something open', () => { setInterval(() => {}, 1000); });`;
  // On a busy host seconds pass before a file's first test begins.
  const result = await outcome([passing, hangs, goesOn], {}, 15_000);
  assert.deepEqual(result, { passed: 2, failed: 2, skipped: 0, proofs: [] });
});

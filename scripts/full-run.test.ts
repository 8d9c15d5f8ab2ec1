import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, watch, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { runOk } from '../test/support/run-program.ts';
import { tempDir, type TempDir } from '../test/support/temp-dir.ts';

const fullRunner = new URL('full-run.ts', import.meta.url).href;

/** The arguments of a process that runs these sections as the full run; a run can't hold another. */
function running(dir: TempDir, files: readonly string[], commit: string, wanted: readonly string[] = []) {
  const [stateFile, pageFile] = [dir.file('state/full.json'), dir.file('PROOF.md')];
  const main = dir.file('main.ts');
  writeFileSync(
    main,
    `import { fullRun } from ${JSON.stringify(fullRunner)};
    const failed = await fullRun(${JSON.stringify({ files, wanted, commit, stateFile, pageFile })});
    process.exitCode = failed === 0 ? 0 : 3;`,
  );
  return { args: [main], env: { CI: undefined, NODE_TEST_CONTEXT: undefined }, page: pageFile };
}

/** A section that adds a letter to a file when it runs, and does this. */
function section(dir: TempDir, name: string, body: string): string {
  const file = dir.file(`${name}.test.ts`);
  writeFileSync(
    file,
    `import { test } from 'node:test';
    import { appendFileSync, existsSync } from 'node:fs';
    appendFileSync(${JSON.stringify(dir.file('ran'))}, '${name}');
    test('${name}', async () => { ${body} });`,
  );
  return file;
}

const ran = (dir: TempDir): string => readFileSync(dir.file('ran'), 'utf8').split('').sort().join('');

test('a full run that was cut off between sections goes on where it was, and completes the page', async () => {
  await using dir = await tempDir();
  const waits = `if (!existsSync(${JSON.stringify(dir.file('go on'))})) await new Promise(() => setInterval(() => {}, 1000));`;
  const files = [section(dir, 'a', ''), section(dir, 'b', waits)];
  const { args, env, page } = running(dir, files, 'abc');

  const child = spawn(process.execPath, args, { env: { ...process.env, ...env }, stdio: 'ignore', detached: true });
  await untilBothBegan(dir, page);
  process.kill(-(child.pid ?? assert.fail()), 'SIGKILL');
  await once(child, 'close');
  assert.match(readFileSync(page, 'utf8'), /a\.test\.ts \| 1 \| 0 [^]*b\.test\.ts \| NOT RUN/);

  writeFileSync(dir.file('go on'), '');
  await runOk(process.execPath, args, { env });
  assert.match(readFileSync(page, 'utf8'), /All 2 sections passed[^]*b\.test\.ts \| 1 \| 0 /);
  assert.equal(ran(dir), 'abb', 'a is not run again');

  await runOk(process.execPath, args, { env });
  assert.equal(ran(dir), 'abb', 'all is done');
});

/** The page is there once the first section ended, before the second begins. */
async function untilBothBegan(dir: TempDir, page: string): Promise<void> {
  using _closing = new DisposableStack();
  const watcher = _closing.adopt(watch(dir.path), (each) => each.close());
  const signal = AbortSignal.timeout(60_000);
  while (!existsSync(page) || ran(dir) !== 'ab') await once(watcher, 'change', { signal });
}

test('another commit runs every section again; a section alone leaves the others as they were', async () => {
  await using dir = await tempDir();
  const files = [section(dir, 'a', ''), section(dir, 'b', '')];
  for (const [commit, wanted] of [
    ['abc', []],
    ['def', ['a.test']],
  ] as const) {
    const { args, env } = running(dir, files, commit, wanted);
    await runOk(process.execPath, args, { env });
  }
  assert.equal(ran(dir), 'aab');
  assert.match(readFileSync(dir.file('PROOF.md'), 'utf8'), /a\.test[^\n]*\| def \|\n[^\n]*b\.test[^\n]*\| abc \|/);
});

test('a section that failed is named on the page, and is run again', async () => {
  await using dir = await tempDir();
  const fails = `if (!existsSync(${JSON.stringify(dir.file('mended'))})) throw new Error('broken');`;
  const { args, env, page } = running(dir, [section(dir, 'a', fails)], 'abc');
  await assert.rejects(runOk(process.execPath, args, { env }), /ended with 3/);
  assert.match(readFileSync(page, 'utf8'), /1 FAILED/);
  writeFileSync(dir.file('mended'), '');
  await runOk(process.execPath, args, { env });
  assert.match(readFileSync(page, 'utf8'), /All 1 sections passed/);
});

test('a section that somebody ended has neither failed nor passed: it is still to be run', async () => {
  await using dir = await tempDir();
  const ends = `if (!existsSync(${JSON.stringify(dir.file('go on'))})) {
      process.kill(process.pid, 'SIGTERM');
      await new Promise(() => setInterval(() => {}, 1000));
    }`;
  const { args, env, page } = running(dir, [section(dir, 'a', ''), section(dir, 'b', ends)], 'abc');
  await assert.rejects(runOk(process.execPath, args, { env }), /ended with 3/);
  assert.match(readFileSync(page, 'utf8'), /1 were not run, and 0 failed[^]*b\.test\.ts \| NOT RUN/);
  writeFileSync(dir.file('go on'), '');
  await runOk(process.execPath, args, { env });
  assert.match(readFileSync(page, 'utf8'), /All 2 sections passed/);
});

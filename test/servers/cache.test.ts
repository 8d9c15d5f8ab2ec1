import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { runOk, runProgram } from '../support/run-program.ts';
import { tempDir, type TempDir } from '../support/temp-dir.ts';

/** A program that has `thing-1` built into the cache of `dir`, and appends to `builds` whenever a build begins. */
async function builder(dir: TempDir, name: string, duringBuild = ''): Promise<string> {
  const program = dir.file(name);
  await writeFile(
    program,
    `import { appendFileSync, writeFileSync } from 'node:fs';
    import { cached } from ${JSON.stringify(new URL('cache.ts', import.meta.url).href)};
    await cached('thing-1', async (folder) => {
      appendFileSync(${JSON.stringify(dir.file('builds'))}, 'build\\n');
      writeFileSync(folder + '/half', '');
      ${duringBuild}
      writeFileSync(folder + '/whole', 'done');
    });`,
  );
  return program;
}

test('programs that ask at once share one build', async () => {
  await using dir = await tempDir();
  const program = await builder(dir, 'builder.ts');
  const env = { HOLDFAST_CACHE: dir.file('cache') };
  await Promise.all([1, 2, 3, 4].map(() => runOk(process.execPath, [program], { env })));
  assert.equal(await readFile(dir.file('builds'), 'utf8'), 'build\n');
  assert.equal(await readFile(dir.file('cache', 'thing-1', 'whole'), 'utf8'), 'done');
});

test('a build that was killed is neither used nor waited for', async () => {
  await using dir = await tempDir();
  const env = { HOLDFAST_CACHE: dir.file('cache') };
  const dying = await builder(dir, 'dying.ts', `process.kill(process.pid, 'SIGKILL'); await new Promise(() => {});`);
  assert.equal((await runProgram(process.execPath, [dying], { env })).signal, 'SIGKILL');
  await runOk(process.execPath, [await builder(dir, 'builder.ts')], { env, timeoutMs: 20_000 });
  assert.equal(await readFile(dir.file('builds'), 'utf8'), 'build\nbuild\n');
  assert.equal(await readFile(dir.file('cache', 'thing-1', 'whole'), 'utf8'), 'done');
});

import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import fc from 'fast-check';
import { runProgram, type RunResult } from '../../../../test/support/run-program.ts';
import { tempDir, type TempDir } from '../../../../test/support/temp-dir.ts';
import { archiveCommand, isOurs, isTooLong, restoreCommand } from './commands.ts';
import { fileValue } from './planning.ts';

const awkward = `it's 100% "a\\b" $HOME; #`;
const segment = '000000010000000000000001';

/** As PostgreSQL does before it starts the shell. */
function filledIn(command: string): string {
  return command.replace(/%([%fp])/g, (_whole, which: string) =>
    which === '%' ? '%' : which === 'f' ? segment : `pg_wal/${segment}`,
  );
}

/** A stand-in for the program, in a folder that no shell likes; it writes down how it was called. */
async function standIn(dir: TempDir, script = 'exit 0'): Promise<Parameters<typeof archiveCommand>[2]> {
  const folder = dir.file(awkward);
  await mkdir(folder);
  const path = `${folder}/holdfast`;
  await writeFile(path, `#!/bin/sh\nprintf '%s\\n' "$@" > '${dir.file('called')}'\n${script}\n`);
  await chmod(path, 0o755);
  return { program: { path, options: ['--config', `${folder}/x.yaml`] }, stateFolder: folder };
}

async function inShell(command: string, cwd: string): Promise<RunResult> {
  return await runProgram('/bin/sh', ['-c', filledIn(command)], { cwd });
}

async function called(dir: TempDir): Promise<readonly string[] | undefined> {
  const text = await readFile(dir.file('called'), 'utf8').catch(() => undefined);
  return text?.trimEnd().split('\n');
}

test('the shell starts the program with each word as it is meant, whatever is in its paths', async () => {
  await using dir = await tempDir();
  const wanted = await standIn(dir);
  const { code, stderr } = await inShell(archiveCommand('shop-db', '7312', wanted), dir.path);
  assert.deepEqual([code, stderr], [0, '']);
  const words = [
    'postgres',
    'archive-push',
    'shop-db',
    ...wanted.program.options,
    '--state-dir',
    wanted.stateFolder,
    `pg_wal/${segment}`,
  ];
  assert.deepEqual(await called(dir), words);
});

test('a marker is consumed by success, without starting the program, and is believed once', async () => {
  await using dir = await tempDir();
  const wanted = await standIn(dir, 'exit 7');
  const spool = `${wanted.stateFolder}/spool/shop-db/7312`;
  await mkdir(spool, { recursive: true });
  await writeFile(`${spool}/${segment}.ok`, '');
  const command = archiveCommand('shop-db', '7312', wanted);
  assert.equal((await inShell(command, dir.path)).code, 0);
  assert.equal(await called(dir), undefined);
  assert.equal((await inShell(command, dir.path)).code, 7, 'without a marker its exit code is that of the program');
});

test('only proven absence is the end of the log; whatever else goes wrong stops the server', async () => {
  const ends = { 'exit 0': 0, 'exit 44': 1, 'exit 1': 200, 'exit 2': 200, 'exit 127': 200, 'kill -9 $$': 200 };
  for (const [script, code] of Object.entries(ends)) {
    await using dir = await tempDir();
    const wanted = await standIn(dir, script);
    assert.equal((await inShell(restoreCommand('shop-db', wanted), dir.path)).code, code, script);
    const words = [
      'postgres',
      'archive-get',
      'shop-db',
      ...wanted.program.options,
      '--state-dir',
      wanted.stateFolder,
      segment,
      `pg_wal/${segment}`,
    ];
    assert.deepEqual(await called(dir), words);
    await rm(wanted.program.path);
    assert.equal((await inShell(restoreCommand('shop-db', wanted), dir.path)).code, 200, 'the program is gone');
  }
});

test('a command of ours is known as such, of this component alone', () => {
  const wanted = { program: { path: '/opt/holdfast', options: [] }, stateFolder: '/var/lib/holdfast' };
  const command = archiveCommand('shop-db', '7312', wanted);
  assert.ok(isOurs(command, 'shop-db'));
  assert.ok(!isOurs(command, 'shop'));
  assert.ok(!isOurs(command, 'db'));
  for (const other of ['', '(disabled)', 'cp %p /srv/%f', 'pgbackrest --stanza=shop-db archive-push %p'])
    assert.ok(!isOurs(other, 'shop-db'), other);
});

test('a command that PostgreSQL up to 15 would cut off is known', () => {
  assert.ok(isTooLong('x'.repeat(1000), 15));
  assert.ok(!isTooLong('x'.repeat(1000), 16));
  assert.ok(!isTooLong('x'.repeat(800), 14));
});

test('a value in postgresql.conf means itself', () => {
  fc.assert(
    fc.property(fc.string(), (value) => {
      const inside = /^'(.*)'$/s.exec(fileValue(value))?.[1] ?? '';
      assert.equal(
        inside.replace(/''|\\\\/g, (pair) => pair.slice(1)),
        value,
      );
      assert.doesNotMatch(inside.replaceAll(/''|\\\\/g, ''), /['\\]/);
    }),
    { numRuns: 200 },
  );
});

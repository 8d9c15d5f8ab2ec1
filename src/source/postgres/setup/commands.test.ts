import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import fc from 'fast-check';
import { runProgram, type RunResult } from '../../../../test/support/run-program.ts';
import { tempDir, type TempDir } from '../../../../test/support/temp-dir.ts';
import { archiveCommand, isOurs, isTooLong, restoreCommand, standbyRestoreCommand } from './commands.ts';
import { fileValue } from './planning.ts';

const awkward = `it's 100% "a\\b" $HOME; #`;
const segment = '000000010000000000000001';

/** As PostgreSQL does before it starts the shell. */
function filledIn(command: string, file = segment): string {
  return command.replace(/%([%fp])/g, (_whole, which: string) =>
    which === '%' ? '%' : which === 'f' ? file : `pg_wal/${segment}`,
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

function quotedPath(path: string): string {
  return `'${path.replaceAll("'", `'\\''`)}'`;
}

async function inShell(command: string, cwd: string, file?: string): Promise<RunResult> {
  return await runProgram('/bin/sh', ['-c', filledIn(command, file)], { cwd });
}

/** The server's wish, written down so many seconds after 1970. */
async function wish(dir: TempDir, atSeconds: number): Promise<void> {
  await mkdir(dir.file('pg_wal/archive_status'), { recursive: true });
  const path = dir.file(`pg_wal/archive_status/${segment}.ready`);
  await writeFile(path, '');
  await utimes(path, atSeconds, atSeconds);
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

test('a marker is consumed by success, without starting the program, and is believed once, for the wish that it is of, and of this very cluster', async () => {
  await using dir = await tempDir();
  const wanted = await standIn(dir, 'exit 7');
  const spool = `${wanted.stateFolder}/spool/shop-db/7312`;
  await mkdir(spool, { recursive: true });
  await writeFile(`${spool}/${segment}.ok`, '');
  await utimes(`${spool}/${segment}.ok`, 1001, 1001);
  await wish(dir, 1000);
  const command = archiveCommand('shop-db', '7312', wanted);
  assert.equal((await inShell(command, dir.path)).code, 7, 'no worker has found that cluster here');
  await writeFile(dir.file('pg_wal/.holdfast-7312'), '');
  await wish(dir, 2000);
  assert.equal((await inShell(command, dir.path)).code, 7, 'it is of before the data directory was put back');
  await wish(dir, 1000);
  await rm(dir.file('called'));
  assert.equal((await inShell(command, dir.path)).code, 0);
  assert.equal(await called(dir), undefined);
  assert.equal((await inShell(command, dir.path)).code, 7, 'without a marker its exit code is that of the program');
});

test('a file that the worker is at is waited for, without starting the program, and not for ever', async () => {
  const sleeps = { 'mv "$0.coming" "$0.ok"': undefined, 'true': 'started' };
  for (const [script, program] of Object.entries(sleeps)) {
    await using dir = await tempDir();
    const wanted = await standIn(dir);
    const spool = `${wanted.stateFolder}/spool/shop-db/7312`;
    await mkdir(spool, { recursive: true });
    await writeFile(`${spool}/${segment}.coming`, '');
    await wish(dir, 1000);
    await writeFile(dir.file('pg_wal/.holdfast-7312'), '');
    await mkdir(dir.file('bin'));
    await writeFile(dir.file('bin/sleep'), `#!/bin/sh\ncd ${quotedPath(spool)}\n${script.replaceAll('$0', segment)}\n`);
    await chmod(dir.file('bin/sleep'), 0o755);
    const env = { PATH: `${dir.file('bin')}:${process.env['PATH'] ?? ''}` };
    const command = filledIn(archiveCommand('shop-db', '7312', wanted));
    assert.equal((await runProgram('/bin/sh', ['-c', command], { cwd: dir.path, env })).code, 0);
    assert.equal((await called(dir)) === undefined ? undefined : 'started', program, script);
  }
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

test('a standby outlives what goes wrong, and asks again; only at its start it must know which timelines there are', async () => {
  const fails = ['exit 1', 'exit 200', 'kill -9 $$'];
  for (const script of ['exit 0', 'exit 44', ...fails]) {
    await using dir = await tempDir();
    const wanted = await standIn(dir, script);
    const ends: (number | null)[] = [];
    for (const status of ['starting', 'ready   ']) {
      await writeFile(dir.file('postmaster.pid'), `1\n/data\n2\n5432\n/run\n*\n 1 2\n${status}\n`);
      for (const file of [segment, '00000002.history'])
        ends.push((await inShell(standbyRestoreCommand('shop-db', wanted), dir.path, file)).code);
    }
    const expected = script === 'exit 0' ? [0, 0, 0, 0] : [1, script === 'exit 44' ? 1 : 200, 1, 1];
    assert.deepEqual(ends, expected, script);
  }
});

test('a standby whose program fails for a segment takes no other that was fetched ahead, as of the timeline before', async () => {
  await using dir = await tempDir();
  const command = standbyRestoreCommand('shop-db', await standIn(dir, 'kill -9 $$'));
  await mkdir(dir.file('pg_wal/.holdfast-ahead'), { recursive: true });
  await writeFile(dir.file(`pg_wal/.holdfast-ahead/${segment}`), 'left');
  const later = segment.replace(/^00000001/, '00000002');
  const ends = [await inShell(command, dir.path, later), await inShell(command, dir.path, segment)];
  assert.deepEqual(
    ends.map(({ code }) => code),
    [1, 1],
  );
});

test('what is fetched ahead, or on its way, costs no start of the program, and nobody waits for ever', async () => {
  const sleeps = { 'mv $0.draft $0; true': undefined, 'true': 'started' };
  for (const [script, program] of Object.entries(sleeps)) {
    await using dir = await tempDir();
    const wanted = await standIn(dir);
    const ahead = dir.file(`pg_wal/.holdfast-ahead/${segment}`);
    await mkdir(dir.file('pg_wal/.holdfast-ahead'), { recursive: true });
    await writeFile(`${ahead}.draft`, 'its bytes');
    await mkdir(dir.file('bin'));
    await writeFile(dir.file('bin/sleep'), `#!/bin/sh\n${script.replaceAll('$0', ahead)}\n`);
    await chmod(dir.file('bin/sleep'), 0o755);
    const command = filledIn(restoreCommand('shop-db', wanted));
    const env = { PATH: `${dir.file('bin')}:${process.env['PATH'] ?? ''}` };
    assert.equal((await runProgram('/bin/sh', ['-c', command], { cwd: dir.path, env })).code, 0);
    assert.equal((await called(dir)) === undefined ? undefined : 'started', program, script);
    if (program === undefined) assert.equal(await readFile(dir.file(`pg_wal/${segment}`), 'utf8'), 'its bytes');
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

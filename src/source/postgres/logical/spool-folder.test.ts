import assert from 'node:assert/strict';
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { tempDir } from '../../../../test/support/temp-dir.ts';
import { systemClock, type Clock } from '../../../clock/clock.ts';
import { hasCode } from '../../../errors/error.ts';
import { openSpool, watchSpool } from './spool-folder.ts';

const base = `holdfast-dumps-${process.getuid?.()}`;

test('a spool is gone when it is disposed of, and with it what a process left that is gone', async () => {
  await using dir = await tempDir();
  // No process has this number: the kernel's own greatest is 4194304.
  await mkdir(dir.file(base, '4194305-0123456789ab'), { recursive: true, mode: 0o700 });
  await writeFile(dir.file(base, '4194305-0123456789ab', 'toc.dat'), 'left');
  {
    await using spool = await openSpool({ folder: dir.path, limitBytes: undefined });
    assert.ok(spool.limitBytes > 0);
    await writeFile(`${spool.path}/toc.dat`, 'here');
    assert.equal((await readdir(dir.file(base))).length, 1);
  }
  assert.deepEqual(await readdir(dir.file(base)), []);
});

test('a folder that others may read or write is refused', async () => {
  await using dir = await tempDir();
  await mkdir(dir.file(base));
  await chmod(dir.file(base), 0o777);
  await assert.rejects(openSpool({ folder: dir.path, limitBytes: 1 }), (error) => hasCode(error, 'refused'));
});

test('a spool that outgrows its limit while it is written is told once', async () => {
  await using dir = await tempDir();
  await using spool = await openSpool({ folder: dir.path, limitBytes: 10 });
  await mkdir(`${spool.path}/dump`);
  await writeFile(`${spool.path}/dump/toc.dat`, 'more than ten bytes');
  const told: string[] = [];
  const { signal } = new AbortController();
  await watchSpool(spool, { clock: systemClock, done: signal, quietMs: 1e9, giveUp: (why) => told.push(why) });
  assert.deepEqual(told, ['outgrown']);
});

test('a spool that grows no more for too long is told, and one that grows slowly is not', async () => {
  await using dir = await tempDir();
  await using spool = await openSpool({ folder: dir.path, limitBytes: 1000 });
  let [nowMs, looks] = [0, 0];
  const clock: Clock = {
    ...systemClock,
    monotonicMs: () => nowMs,
    sleep: async () => {
      nowMs += 100;
      looks += 1;
      if (looks <= 5) await writeFile(`${spool.path}/toc.dat`, 'x'.repeat(looks));
    },
  };
  const told: string[] = [];
  const { signal } = new AbortController();
  await watchSpool(spool, { clock, done: signal, quietMs: 150, giveUp: (why) => told.push(`${why} at ${nowMs}`) });
  assert.deepEqual(told, ['quiet at 700']);
});

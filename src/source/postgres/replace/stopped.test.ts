import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { tempDir } from '../../../../test/support/temp-dir.ts';
import { systemClock } from '../../../clock/clock.ts';
import { startProgram } from '../../../host/process.ts';
import { assertStopped, obstacleIn, settle } from './stopped.ts';

test('what runs, or may run in a container, is not replaced; a number that another process took since is told as that', async () => {
  await using dir = await tempDir();
  await assertStopped(dir.path);
  const { signal } = new AbortController();
  const args = ['-c', `cd '${dir.path}' && echo $$ && exec sleep 60`];
  await using server = await startProgram('sh', { args, clock: systemClock, signal, input: 'empty' });
  let own = 0;
  for await (const bytes of server.output) {
    own = Number(Buffer.from(bytes).toString());
    break;
  }
  for (const [pid, isSeen, message, next] of [
    [own, true, /a server runs in .* \(process \d+\)/, /Stop it/],
    [-own, true, /a server runs in/, /Stop it/],
    [4_000_000, false, /can’t be seen from here/, /in a container either, remove .*postmaster\.pid/],
    [process.pid, false, /is another program here, \w+/, /in a container either, remove .*postmaster\.pid/],
  ] as const) {
    await writeFile(dir.file('postmaster.pid'), `${pid}\n${dir.path}\n`);
    assert.equal((await obstacleIn(dir.path))?.isSeen, isSeen, String(pid));
    await assert.rejects(assertStopped(dir.path), { code: 'refused', message, next });
  }
});

test('a server of ours that was killed is not waited for because another process has its number', async () => {
  await using dir = await tempDir();
  await writeFile(dir.file('postmaster.pid'), `${process.pid}\n${dir.path}\n`);
  const clock = { ...systemClock, sleep: async () => assert.fail('it waits') };
  await settle(dir.path, { clock, signal: new AbortController().signal });
  assert.equal(existsSync(dir.file('postmaster.pid')), false);
});

test('a postmaster.pid that can’t be read is refused, with what to do about it', async () => {
  await using dir = await tempDir();
  await mkdir(dir.file('postmaster.pid'));
  await assert.rejects(assertStopped(dir.path), { code: 'refused', next: /move the data directory away/ });
});

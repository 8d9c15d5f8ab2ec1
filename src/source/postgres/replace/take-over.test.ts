import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { tempDir, type TempDir } from '../../../../test/support/temp-dir.ts';
import { systemClock } from '../../../clock/clock.ts';
import { lockFile } from '../../../host/file-lock.ts';
import { checkGrant, issueGrant } from '../grant.ts';
import { takeOver } from './take-over.ts';

async function directory(path: string): Promise<string> {
  await mkdir(`${path}/global`, { recursive: true });
  const control = Buffer.alloc(8192);
  control.writeBigUInt64LE(7_312_000_000_000_000_001n);
  await writeFile(`${path}/global/pg_control`, control);
  return path;
}

/** As a worker does: at work until it has the grant no more. */
async function workWhileGranted(dir: TempDir, data: string): Promise<void> {
  const lock = lockFile(dir.file('state/spool/shop-db/worker.lock'));
  assert.ok(typeof lock === 'object');
  using _lock = lock;
  while ((await checkGrant(dir.file('state'), 'shop-db', data)).state === 'ok') await systemClock.sleep(20);
}

test('a worker that takes what was restored in place for its own loses the grant, which comes back once it has ended', async () => {
  await using dir = await tempDir();
  const data = await directory(dir.file('data'));
  const stateFolder = dir.file('state');
  await issueGrant(stateFolder, 'shop-db', data);
  await mkdir(dir.file('state/spool/shop-db'), { recursive: true, mode: 0o700 });
  const marker = dir.file('state/spool/shop-db/00000001.ok');
  await writeFile(dir.file('state/spool/shop-db/worker.lock'), '');
  await writeFile(marker, '');
  const working = workWhileGranted(dir, data);
  const work = { stateFolder, clock: systemClock, signal: new AbortController().signal };
  assert.deepEqual(await takeOver('shop-db', work, data), []);
  await working;
  assert.equal(existsSync(marker), false);
  assert.equal((await checkGrant(stateFolder, 'shop-db', data)).state, 'ok');
});

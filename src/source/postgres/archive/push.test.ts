import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { test } from 'node:test';
import { handedOver, handingOver } from '../../../../test/support/handing-over.ts';
import { newRepository } from '../../../../test/support/repository.ts';
import { tempDir } from '../../../../test/support/temp-dir.ts';
import { systemClock, type Clock } from '../../../clock/clock.ts';
import { silent } from '../../../events/events.ts';
import { MemoryStorage } from '../../../storage/memory.ts';
import type { PushRequest } from '../../archiving.ts';
import { pushFile } from './push.ts';
import { archiveFiles } from './worker.ts';

/** Two pushes by hand wait for a file that its server takes in the meantime, and look again when they are let. */
test('a push that the server’s own was faster than ends at once, with success where the file is stored', async () => {
  await using dir = await tempDir();
  const handed = await handingOver(dir);
  const repository = await newRepository(new MemoryStorage());
  const ending = new AbortController();
  const places = [{ repository: 'near', required: true, windowMs: 1, open: async () => repository }];
  const work = { ...handed, places, listener: silent, clock: systemClock, signal: ending.signal };
  let worker = Promise.resolve();
  const startWorker: PushRequest['startWorker'] = () => {
    worker = archiveFiles(work);
    return { isRunning: () => true };
  };
  const looking = Promise.withResolvers<void>();
  const sleep: Clock['sleep'] = async (ms, until) => {
    await looking.promise;
    await systemClock.sleep(ms, until);
  };
  const { signal } = new AbortController();
  const request = { ...handed, path: `pg_wal/${handedOver}`, startWorker, signal };
  const pushed = pushFile({ ...request, clock: { ...systemClock, sleep } });

  const spool = dir.file('state/spool/shop-db/7');
  const until = async (isSo: () => boolean): Promise<void> => {
    for (let looks = 0; !isSo(); looks++) {
      assert.ok(looks < 3000, 'it never came to this');
      await systemClock.sleep(20);
    }
  };
  await until(() => existsSync(`${spool}/${handedOver}.ok`));
  await rm(`${spool}/${handedOver}.ok`); // by the server's own command, which has its success then
  const status = `${handed.dataDirectory}/pg_wal/archive_status/${handedOver}`;
  await rename(`${status}.ready`, `${status}.done`);
  await until(() => existsSync(`${spool}/${handedOver}.stored`));
  looking.resolve();
  await pushed;

  ending.abort(new Error('over'));
  await assert.rejects(worker, /over/);
});

test('a push of a file that the server no longer hands over, and that nobody has stored, ends at once as refused', async () => {
  await using dir = await tempDir();
  const handed = await handingOver(dir);
  let nowMs = 0;
  const status = `${handed.dataDirectory}/pg_wal/archive_status/${handedOver}`;
  const sleep: Clock['sleep'] = async () => {
    nowMs += 1000;
    if (existsSync(`${status}.ready`)) await rename(`${status}.ready`, `${status}.done`);
  };
  const clock = { ...systemClock, sleep, monotonicMs: () => nowMs };
  const startWorker: PushRequest['startWorker'] = () => ({ isRunning: () => true });
  const { signal } = new AbortController();
  const request = { ...handed, path: `pg_wal/${handedOver}`, startWorker, signal, clock };
  await assert.rejects(pushFile(request), /does not hand 00000002.history over/);
  assert.ok(nowMs < 10_000, String(nowMs));
  assert.ok(!existsSync(dir.file(`state/spool/shop-db/7/${handedOver}.wanted`)));
});

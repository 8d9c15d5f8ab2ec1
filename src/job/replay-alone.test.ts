import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shopContext } from '../../test/support/component-context.ts';
import { newRepository } from '../../test/support/repository.ts';
import { systemClock } from '../clock/clock.ts';
import { openLog } from '../log/store.ts';
import { MemoryStorage } from '../storage/memory.ts';
import { replayAlone } from './replay-alone.ts';

test('a backup that is brought back without its log is told which numbers of timelines are in use', async () => {
  const storage = new MemoryStorage();
  await using made = await newRepository(storage);
  const bytes = Buffer.from('1\t0/28\tno recovery target specified\n');
  await openLog(made, { component: 'shop-db', stream: '7' }).putHistory({ epoch: 2, parent: 1, forkedAt: 40n, bytes });
  const base = {
    ...{ component: 'shop-db', rule: 'full', method: 'physical', identity: 'a', timeNs: 0n, sizeBytes: 1, copies: [] },
    log: { stream: '7', epoch: 1, from: 20n, to: 22n },
  };
  const given = { storage, clock: systemClock, stateFolder: '/nowhere' };
  const { feed, epoch } = await replayAlone(
    shopContext({ ...given, log: '{ mode: stream, to: { near: { window: 14d } } }' }),
    base,
  );
  assert.equal(epoch, 1);
  assert.deepEqual(Buffer.from((await feed.history(2)) ?? assert.fail()), bytes);
  assert.equal(await feed.history(3), undefined, 'the next number that is free');
  await storage.put('holdfast/log/shop-db/7/00000002/history', [Buffer.from('no longer what it was')]);
  const log = '{ mode: stream, to: { near: { window: 14d } } }';
  const unread = (await replayAlone(shopContext({ storage, clock: systemClock, stateFolder: '/nowhere', log }), base))
    .feed;
  assert.equal((await unread.history(2))?.length, 0, 'its number is taken, though nobody can read it');
  assert.deepEqual([feed.order, await feed.segment(1, 16n)], [[], undefined]);
  assert.equal(await (await replayAlone(shopContext(given), base)).feed.history(2), undefined, 'it keeps no log');
});

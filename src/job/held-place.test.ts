import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shopContext } from '../../test/support/component-context.ts';
import { newRepository } from '../../test/support/repository.ts';
import { systemClock } from '../clock/clock.ts';
import { HoldfastError } from '../errors/error.ts';
import type { Listener } from '../events/events.ts';
import { openLog } from '../log/store.ts';
import { lineageOf } from '../log/cover.ts';
import { livingIn } from '../point/moment.ts';
import { MemoryStorage } from '../storage/memory.ts';
import { assertFollowable } from './held-place.ts';
import { openLogs, type ReadLog } from './read-log.ts';

const size = 0x1000n;
const historyKey = (epoch: number): string => `holdfast/log/shop-db/7/0000000${epoch}/history`;

/** Answers its listing; once it fails, nothing else. */
class FailingStorage extends MemoryStorage {
  fails = false;

  override async stat(key: string): ReturnType<MemoryStorage['stat']> {
    if (this.fails) throw new HoldfastError('storage-timeout', 'it did not answer in time');
    return await super.stat(key);
  }
}

async function place(repository: string) {
  const storage = new FailingStorage(new Map(), systemClock);
  const opened = await newRepository(storage);
  return { storage, repository, required: true, windowMs: 1, open: async () => opened };
}

/** Two places hold three timelines: the second and the third leave the first, and the third was written last. */
async function scene() {
  const places = [await place('near'), await place('far')];
  for (const { open } of places) {
    const store = openLog(await open(), { component: 'shop-db', stream: '7' });
    for (const epoch of [1, 2, 3]) {
      if (epoch > 1) await store.putHistory({ epoch, parent: 1, forkedAt: size, bytes: Buffer.from('told') });
      await store.put({ epoch, from: size, to: 2n * size }, Buffer.from('a segment'), { facts: {} });
    }
  }
  const damage = async (epoch: number, ...at: readonly number[]): Promise<void> => {
    for (const index of at) await places[index]?.storage.put(historyKey(epoch), [Buffer.from('no longer what it was')]);
  };
  const warnings: string[] = [];
  const given = { storage: new MemoryStorage(), clock: systemClock, stateFolder: '/nowhere' };
  const listener: Listener = (event) => {
    if (event.kind === 'warning') warnings.push(`${event.item}: ${event.message}`);
  };
  const context = { ...shopContext(given), listener };
  const open = async (): Promise<ReadLog> => await openLogs(context, 'shop-db', '7', places);
  return { far: places[1]?.storage ?? assert.fail(), open, damage, places, warnings };
}

test('a place that fails after its listing is told, and another tells which timeline goes on', async () => {
  const { far, open, warnings } = await scene();
  far.fails = true;
  await using held = await open();
  assert.deepEqual([held.unasked, livingIn(held, [])], [['far'], 3]);
  assert.match(warnings.join('\n'), /^far: what it holds of the log is not known: it did not answer in time$/);
});

test('a history that is damaged in one place is read in the next; in all of them it is told, and left out', async () => {
  const { open, damage, warnings } = await scene();
  await damage(2, 0);
  await using whole = await open();
  assert.deepEqual([whole.histories.map(({ epoch }) => epoch), warnings], [[2, 3], []]);
  await damage(2, 1);
  await using held = await open();
  assert.deepEqual([held.histories.map(({ epoch }) => epoch), [...held.unread.keys()]], [[3], [2]]);
  assert.match(warnings.join('\n'), /^shop-db: whence timeline 2 of its log comes can’t be read: /);
  assert.deepEqual([held.unasked, livingIn(held, [])], [[], 3]);
});

test('nothing is followed in place of a timeline whose history can’t be read, unless it was asked for', async () => {
  const { open, damage } = await scene();
  await damage(3, 0, 1);
  await using held = await open();
  const follow = (wanted: readonly number[], followed: number | undefined): void =>
    assertFollowable('shop-db', held, { wanted, followed });
  assert.throws(() => follow([3], 1), { code: 'damaged', message: /shop-db: timeline 3 can’t be followed/ });
  assert.throws(() => follow([], 2), { code: 'damaged', message: /the timeline that goes on can’t be followed/ });
  follow([2, 3], 2); // what stands there counts before what goes on
  follow([1], undefined); // no backup leads to it, which is another matter
});

test('a history that can’t be read is told by that of a timeline that came of it', async () => {
  const { open, damage, places, warnings } = await scene();
  const second = '1\t0/1000\tno reason\n';
  const bytes = Buffer.from(`${second}\n2\t0/1800\tno reason\n`);
  for (const { open: opened } of places) {
    const store = openLog(await opened(), { component: 'shop-db', stream: '7' });
    await store.putHistory({ epoch: 4, parent: 2, forkedAt: 0x1800n, bytes });
  }
  await damage(2, 0, 1);
  await using held = await open();
  assert.deepEqual([held.histories.map(({ epoch }) => epoch), held.unread.size, warnings.length], [[2, 3, 4], 0, 1]);
  assert.equal(Buffer.from(held.histories[0]?.bytes ?? []).toString(), second);
  assert.deepEqual(
    lineageOf(4, held.histories)?.epochs.map(({ epoch }) => epoch),
    [4, 2, 1],
  );
});

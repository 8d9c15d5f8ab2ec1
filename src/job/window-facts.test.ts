import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newRepository } from '../../test/support/repository.ts';
import { ManualClock } from '../clock/manual-clock.ts';
import { openLog } from '../log/store.ts';
import { leftKey } from '../log/names.ts';
import type { Base } from '../log/window.ts';
import { livingEpoch } from '../point/living.ts';
import type { RecoverablePoint } from '../point/point.ts';
import { MemoryStorage } from '../storage/memory.ts';
import { signsOf } from './signs.ts';
import { standingOf, streamFacts } from './window-facts.ts';

const size = 16n;
const extent = (epoch: number, number: bigint) => ({ epoch, from: number * size, to: (number + 1n) * size });

/** Epoch 2 was forked from 1 at 40, and wrote one segment; then 1 was turned back to, and goes on. */
async function turnedBack() {
  const clock = new ManualClock();
  const storage = new MemoryStorage(new Map(), clock);
  const store = openLog(await newRepository(storage), { component: 'shop-db', stream: '7' });
  const times: bigint[] = [];
  const put = async (epoch: number, number: bigint): Promise<void> => {
    clock.advance(60_000);
    times.push(clock.nowNs());
    await store.put(extent(epoch, number), Buffer.alloc(16), { facts: {} });
  };
  await put(1, 1n);
  await put(1, 2n);
  await store.putHistory({ epoch: 2, parent: 1, forkedAt: 40n, bytes: Buffer.from('1\t0/28\n') });
  await put(2, 2n);
  await put(1, 3n);
  return { storage, store, times, put };
}

const base = (epoch: number, timeNs: bigint, to = 22n): Base => ({ epoch, timeNs, from: to - 2n, to });

test('the log of an epoch that was turned back to has no end, and that of the higher one that was left has, once there is a backup since', async () => {
  const { store, times, put } = await turnedBack();
  const [first = 0n, , forked = 0n, back = 0n] = times;
  const facts = await streamFacts(store, [base(1, first)], 'live');
  assert.deepEqual([facts.endedNs(1), facts.endedNs(2)], [undefined, undefined], 'nobody is in a hurry');
  const since = await streamFacts(store, [base(1, first), base(1, back, 50n)], 'live');
  assert.deepEqual([since.endedNs(1), since.endedNs(2)], [undefined, forked]);
  const ahead = await streamFacts(store, [base(1, first), base(1, back + 1n, 40n)], 'live');
  assert.deepEqual([ahead.endedNs(1), ahead.endedNs(2)], [undefined, undefined], 'a clock ran ahead before the fork');
  const over = await streamFacts(store, [], 'over');
  assert.deepEqual([over.endedNs(1), over.endedNs(2)], [back, forked]);
  await put(2, 3n);
  const again = await streamFacts(store, [base(1, first)], 'live');
  assert.deepEqual([again.endedNs(1), again.endedNs(2)], [back, undefined], 'as after a promotion');
});

test('the log of an epoch that an undo went back to has no end at once, though the other one arrived last', async () => {
  const { store, times, put } = await turnedBack();
  const [first = 0n] = times;
  await put(2, 3n);
  const before = await streamFacts(store, [base(1, first)], 'live');
  assert.equal(before.endedNs(1), times[3], 'it is taken for one that was left');
  await store.putLeft({ epoch: 2, at: 64n }, 'undone');
  const facts = await streamFacts(store, [base(1, first)], 'live');
  assert.deepEqual([facts.endedNs(1), facts.endedNs(2)], [undefined, undefined], 'what was undone stays a while');
});

test('what only looks like a note that a timeline was left, as anybody could write it there without the key, says nothing', async () => {
  const { storage, store, times, put } = await turnedBack();
  await put(2, 3n);
  const forged = (epoch: number, at: bigint): string => leftKey(store.name, { epoch, at });
  await storage.put(forged(2, 2n ** 64n - 1n), [Buffer.from('no key has sealed this')]);
  await store.putLeft({ epoch: 1, at: 16n }, 'undone');
  await storage.put(forged(2, 2n ** 32n), [await storage.get(forged(1, 16n))]);
  const listing = await store.list();
  assert.equal(listing.left.length, 3);
  assert.deepEqual((await signsOf(store, listing, undefined)).left, [{ epoch: 1, at: 16n }]);
  const facts = await streamFacts(store, [base(1, times[0] ?? 0n)], 'live');
  assert.equal(facts.endedNs(2), undefined, 'it goes on');
});

test('a segment is as young as its last change, however late it was copied to a place', async () => {
  const { store, times } = await turnedBack();
  const [first = 0n] = times;
  const noted = { facts: {}, times: { earliestNs: first, latestNs: first + 1n } };
  await store.put(extent(1, 4n), Buffer.alloc(16), noted);
  const listing = await store.list();
  const histories = [await store.getHistory(2)];
  assert.equal(livingEpoch(histories, await signsOf(store, listing, undefined), []), 2);
});

test('a stream is over once a newer one is backed up, unless its own backups were all dated by a reset clock', () => {
  const of = (stream: string, date: string): RecoverablePoint => ({
    ...{ component: 'shop-db', rule: 'full', method: 'physical', identity: date, sizeBytes: 1, copies: [] },
    timeNs: Temporal.Instant.from(date).epochNanoseconds,
    log: { stream, epoch: 1, from: 0n, to: 2n },
  });
  const [reset, old, since] = [
    of('8', '1970-01-02T00:00Z'),
    of('7', '2026-11-20T00:00Z'),
    of('8', '2026-11-21T00:00Z'),
  ];
  assert.deepEqual([standingOf([], '7'), standingOf([old], '8')], ['live', 'over']);
  assert.deepEqual([standingOf([reset, old], '7'), standingOf([reset, old], '8')], ['live', 'live']);
  assert.deepEqual([standingOf([reset, old, since], '7'), standingOf([reset, old, since], '8')], ['over', 'live']);
});

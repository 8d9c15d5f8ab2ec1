import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newRepository, testPassword } from '../../test/support/repository.ts';
import { systemClock } from '../clock/clock.ts';
import { HoldfastError } from '../errors/error.ts';
import type { Event } from '../events/events.ts';
import type { History } from '../log/log.ts';
import { leftKey } from '../log/names.ts';
import { openLog } from '../log/store.ts';
import { openRepository } from '../repository/open.ts';
import { MemoryStorage } from '../storage/memory.ts';
import type { LogPlace } from '../source/log.ts';
import { leaveEpoch, leftOf } from './leave-epoch.ts';

test('each place of a log is told that an epoch was left, with all that it holds of it; one that can’t be is named', async () => {
  const storage = new MemoryStorage();
  await using made = await newRepository(storage);
  const store = openLog(made, { component: 'shop-db', stream: '7' });
  await store.put({ epoch: 2, from: 48n, to: 64n }, Buffer.alloc(16), { facts: {} });
  const place = (repository: string, open: LogPlace['open']): LogPlace => ({
    ...{ repository, open },
    ...{ required: true, windowMs: 0 },
  });
  const near = place('near', async () => await openRepository({ storage, clock: systemClock, password: testPassword }));
  const far = place('far', async () => {
    throw new HoldfastError('storage-timeout', 'far does not answer');
  });
  const events: Event[] = [];
  const { signal } = new AbortController();
  const listener = (event: Event): void => void events.push(event);
  const work = { component: 'shop-db', places: [near, far], stateFolder: '/nowhere', clock: systemClock };
  const leaving = { stream: '7', end: { epoch: 2, at: 50n }, goesOn: undefined, reason: 'undone' };
  for (let times = 0; times < 2; times += 1)
    assert.deepEqual(await leaveEpoch({ ...work, signal, listener }, leaving), ['far']);
  assert.deepEqual((await store.list()).left, [{ epoch: 2, at: 64n }]);
  const told = events.flatMap((event) => (event.kind === 'warning' ? [`${event.item}: ${event.message}`] : []));
  assert.match(told[0] ?? '', /^far: it doesn’t say that timeline 2 was left: far does not answer/);
});

test('a place where something else stands in the stead of the note is named: nothing there would say that an epoch was left', async () => {
  const storage = new MemoryStorage();
  const made = await newRepository(storage);
  const name = { component: 'shop-db', stream: '7' };
  await storage.put(leftKey(name, { epoch: 2, at: 50n }), [Buffer.from('no key has sealed this')]);
  const place = { repository: 'near', required: true, windowMs: 0, open: async () => made };
  const warnings: string[] = [];
  const listener = (event: Event): void => void (event.kind === 'warning' && warnings.push(event.message));
  const work = { component: 'shop-db', places: [place], stateFolder: '/nowhere', clock: systemClock };
  const leaving = { stream: '7', end: { epoch: 2, at: 50n }, goesOn: undefined, reason: 'undone' };
  assert.deepEqual(await leaveEpoch({ ...work, signal: new AbortController().signal, listener }, leaving), ['near']);
  assert.match(warnings.join(), /left-0{14}32 can't be opened.*nothing is replaced/);
});

const history = (epoch: number, parent: number, forkedAt: bigint): History => ({
  ...{ epoch, parent, forkedAt },
  bytes: Buffer.from(`${parent}\t0/${forkedAt.toString(16)}\tno recovery target specified\n`),
});
const nothing = { segments: [], pieces: [] };

test('what an undo goes back to is never said to be left: neither its own epoch nor another one of the same number', () => {
  const second = history(2, 1, 40n);
  const end = { epoch: 2, at: 50n, origin: second.bytes };
  assert.deepEqual(leftOf({ end, goesOn: 1 }, nothing, [second]), [{ epoch: 2, at: 50n }]);
  assert.deepEqual(leftOf({ end, goesOn: 2 }, nothing, [second]), [], 'it stands on that number itself');
  assert.deepEqual(leftOf({ end, goesOn: 1 }, nothing, [history(2, 1, 30n)]), [], 'what is held was forked elsewhere');
  assert.deepEqual(leftOf({ end, goesOn: 3 }, nothing, [second, history(3, 2, 60n)]), [], 'it comes from there');
});

test('with an epoch those are left that it came through since, up to where it left them, and no other', () => {
  const histories = [history(2, 1, 40n), history(3, 2, 60n)];
  const end = { epoch: 3, at: 90n };
  const left = [
    { epoch: 3, at: 90n },
    { epoch: 2, at: 60n },
  ];
  assert.deepEqual(leftOf({ end, goesOn: 1 }, nothing, histories), left);
  assert.deepEqual(leftOf({ end, goesOn: 2 }, nothing, histories), left.slice(0, 1));
  assert.deepEqual(leftOf({ end, goesOn: undefined }, nothing, histories), left.slice(0, 1));
  const segment = (from: bigint) => ({ epoch: 2, from, to: from + 16n });
  const held = { segments: [segment(48n), segment(64n)], pieces: [{ segment: segment(48n), from: 48n, to: 61n }] };
  assert.equal(leftOf({ end, goesOn: 1 }, held, histories).at(-1)?.at, 64n, 'who wrote behind the fork may go on');
});

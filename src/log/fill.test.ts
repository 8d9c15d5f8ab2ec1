import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newRepository } from '../../test/support/repository.ts';
import { MemoryStorage } from '../storage/memory.ts';
import { lineageOf } from './cover.ts';
import { fill } from './fill.ts';
import type { Extent, History, LogStore } from './log.ts';
import { openLog } from './store.ts';

const size = 1024n;
const segment = (number: number, epoch = 1): Extent => ({
  epoch,
  from: BigInt(number) * size,
  to: BigInt(number + 1) * size,
});
const bytesOf = (number: number): Buffer => Buffer.alloc(Number(size), `segment ${number} `);
const fork: History = { epoch: 2, parent: 1, forkedAt: 3n * size + 10n, bytes: Buffer.from('1\t0/C0A\tx\n') };

async function place(): Promise<LogStore> {
  return openLog(await newRepository(new MemoryStorage()), { component: 'shop-db', stream: '7' });
}

async function full(): Promise<LogStore> {
  const store = await place();
  for (const number of [1, 2]) await store.put(segment(number), bytesOf(number), { facts: { number } });
  await store.putPartial(segment(3), bytesOf(3));
  await store.putHistory(fork);
  await store.putLeft({ epoch: 1, at: 4n * size }, 'undone');
  await store.put(segment(3, 2), bytesOf(3), { facts: { number: 3 } });
  const open = segment(4, 2);
  await store.putPiece({ segment: open, from: open.from, to: open.from + 5n }, Buffer.from('piece'));
  return store;
}

const told = { lineage: lineageOf(2, [fork]) ?? { epochs: [] }, signal: new AbortController().signal };
const notedOf = (): never => assert.fail('a sidecar was there');

test('a place is filled from another up to a position, over a fork, with sidecars, histories, partial ends and what was left', async () => {
  const [from, to] = [await full(), await place()];
  assert.equal(await fill({ ...told, from, to, at: size, until: 4n * size, notedOf }), 4n * size);
  const listing = await to.list();
  assert.deepEqual(listing, { ...(await from.list()), pieces: [] });
  assert.deepEqual((await to.about(segment(2)))?.facts, { number: 2 });
  assert.equal(await fill({ ...told, from, to, at: 4n * size, until: 9n * size, notedOf }), 4n * size + 5n);
  assert.deepEqual(await to.list(), await from.list());
});

test('a hole in the other place ends it before the hole', async () => {
  const [from, to] = [await full(), await place()];
  await from.remove([segment(2)]);
  assert.equal(await fill({ ...told, from, to, at: size, until: 4n * size, notedOf }), 2n * size);
  assert.deepEqual((await to.list()).segments, [segment(1)]);
});

test('a segment without its sidecar is noted anew', async () => {
  const [from, to] = [await place(), await place()];
  await from.put(segment(1), bytesOf(1), { facts: {} });
  from.about = async () => undefined;
  const lineage = lineageOf(1, []) ?? { epochs: [] };
  const notedAnew = (): { readonly facts: { readonly anew: boolean } } => ({ facts: { anew: true } });
  await fill({ ...told, lineage, from, to, at: size, until: 2n * size, notedOf: notedAnew });
  assert.deepEqual((await to.about(segment(1)))?.facts, { anew: true });
});

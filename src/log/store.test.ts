import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newRepository } from '../../test/support/repository.ts';
import { listOwnObjects, removeOwnObject } from '../repository/own-object.ts';
import { readOwnBytes } from '../repository/own-bytes.ts';
import { MemoryStorage } from '../storage/memory.ts';
import type { Extent } from './log.ts';
import { segmentKey } from './names.ts';
import { openLog, streamsOf } from './store.ts';

const log = { component: 'shop-db', stream: '7300000000000000001' };
const size = 0x10_0000n;
const segment = (number: number, epoch = 1): Extent => ({
  epoch,
  from: BigInt(number) * size,
  to: BigInt(number + 1) * size,
});
const bytesOf = (seed: number): Buffer => Buffer.alloc(Number(size), `segment ${seed} `);

async function scene() {
  const storage = new MemoryStorage();
  const repository = await newRepository(storage);
  return { storage, repository, store: openLog(repository, log) };
}

test('a segment comes back as it was put, with what was noted of it', async () => {
  const { store } = await scene();
  const noted = { times: { earliestNs: 5n, latestNs: 7n }, facts: { xids: [[1, 3]] } };
  assert.equal(await store.put(segment(3), bytesOf(3), noted), 'stored');
  assert.deepEqual(Buffer.from(await store.get(segment(3))), bytesOf(3));
  const about = await store.about(segment(3));
  assert.deepEqual(about?.facts, noted.facts);
  assert.deepEqual(about.times, noted.times);
  assert.equal(about?.bytes, Number(size));
  await assert.rejects(store.get(segment(4)), { code: 'storage-not-found' });
  assert.equal(await store.about(segment(4)), undefined);
});

test('the same bytes again are there already, others are a conflict, and nothing is replaced', async () => {
  const { store } = await scene();
  await store.put(segment(3), bytesOf(3), { facts: {} });
  assert.equal(await store.put(segment(3), bytesOf(3), { facts: {} }), 'there');
  await assert.rejects(store.put(segment(3), bytesOf(4), { facts: {} }), { code: 'log-conflict' });
  assert.deepEqual(Buffer.from(await store.get(segment(3))), bytesOf(3));
});

test('a sidecar that a kill left out is written when the same segment is put again', async () => {
  const { store, repository } = await scene();
  await store.put(segment(3), bytesOf(3), { facts: { xids: 1 } });
  await removeOwnObject(repository, `${segmentKey(log, segment(3))}.about`);
  assert.equal(await store.about(segment(3)), undefined);
  assert.equal(await store.put(segment(3), bytesOf(3), { facts: { xids: 1 } }), 'there');
  assert.deepEqual((await store.about(segment(3)))?.facts, { xids: 1 });
});

test('an object that was given the name of another is not taken for it', async () => {
  const { store, storage } = await scene();
  await store.put(segment(3), bytesOf(3), { facts: {} });
  await store.put(segment(4), bytesOf(4), { facts: {} });
  const bytes = await storage.get(segmentKey(log, segment(4)));
  await storage.put(segmentKey(log, segment(3)), [bytes]);
  await assert.rejects(store.get(segment(3)), { code: 'damaged', message: /content of another object/ });
});

test('a changed byte is found', async () => {
  const { store, storage } = await scene();
  await store.put(segment(3), bytesOf(3), { facts: {} });
  const bytes = Buffer.from(await storage.get(segmentKey(log, segment(3))));
  bytes.writeUInt8(bytes.readUInt8(40) ^ 1, 40);
  await storage.put(segmentKey(log, segment(3)), [bytes]);
  await assert.rejects(store.get(segment(3)), { code: 'damaged' });
});

test('one listing tells all that is held, and nothing of another component or stream', async () => {
  const { store, repository } = await scene();
  await store.put(segment(3), bytesOf(3), { facts: {} });
  await store.putPartial(segment(4), bytesOf(4));
  await store.putGap(segment(5), 'the queue was full');
  await store.putHistory({
    epoch: 2,
    parent: 1,
    forkedAt: 4n * size + 40n,
    bytes: Buffer.from('1\t0/4\tno recovery target\n'),
  });
  const piece = { segment: segment(4, 2), from: 4n * size, to: 4n * size + 10n };
  await store.putPiece(piece, Buffer.from('0123456789'));
  await openLog(repository, { component: 'shop', stream: '1' }).put(segment(9), bytesOf(9), { facts: {} });
  await openLog(repository, { ...log, stream: '2' }).put(segment(9), bytesOf(9), { facts: {} });
  assert.deepEqual(await store.list(), {
    segments: [segment(3)],
    partials: [segment(4)],
    gaps: [segment(5)],
    histories: [2],
    pieces: [piece],
  });
  assert.equal(await store.gapReason(segment(5)), 'the queue was full');
  assert.equal((await store.getHistory(2)).forkedAt, 4n * size + 40n);
  assert.equal(Buffer.from(await store.getPiece(piece)).toString(), '0123456789');
  assert.deepEqual(await streamsOf(repository, 'shop-db'), ['2', '7300000000000000001']);
  await store.removePieces([piece, piece]);
  await store.remove([segment(3), segment(4), segment(5)]);
  assert.deepEqual(await store.list(), { segments: [], partials: [], gaps: [], histories: [2], pieces: [] });
});

test('nothing of a log can be read without its repository’s key', async () => {
  const { store, repository, storage } = await scene();
  await store.put(segment(3), Buffer.alloc(Number(size), 'secret row '), { facts: {} });
  const other = await newRepository(new MemoryStorage());
  for (const { key } of await listOwnObjects(repository, 'holdfast/log/')) {
    const bytes = await storage.get(key);
    assert.equal(Buffer.from(bytes).includes('secret row'), false);
    await other.storage.put(key, [bytes]);
  }
  await assert.rejects(readOwnBytes(other, segmentKey(log, segment(3))), { code: 'damaged' });
});

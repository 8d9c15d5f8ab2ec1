import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newRepository } from '../../test/support/repository.ts';
import { tempDir } from '../../test/support/temp-dir.ts';
import { listOwnObjects, removeOwnObject } from '../repository/own-object.ts';
import { readOwnBytes, writeOwnBytes } from '../repository/own-bytes.ts';
import { OwnFiles } from '../repository/own-files.ts';
import { MemoryStorage } from '../storage/memory.ts';
import type { Extent } from './log.ts';
import { segmentKey } from './names.ts';
import { packSegment, segmentAt, segmentRoomBytes } from './pack.ts';
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

for (const version of [1, 2] as const)
  test(`a segment that a thread has packed is stored as any other, in a repository of version ${version}`, async () => {
    const repository = await newRepository(new MemoryStorage(), version);
    const store = openLog(repository, log);
    const memory = Buffer.alloc(segmentAt + Number(size));
    const room = new Uint8Array(new SharedArrayBuffer(segmentRoomBytes(Number(size))));
    for (const number of [3, 4]) {
      bytesOf(number).copy(memory, segmentAt);
      const packed = packSegment(log, segment(number), memory, room);
      assert.equal(await store.put(segment(number), packed, { facts: {} }), 'stored');
      assert.equal(await store.put(segment(number), packed, { facts: {} }), 'there');
      assert.equal(await store.put(segment(number), bytesOf(number), { facts: {} }), 'there');
      await assert.rejects(store.put(segment(number), bytesOf(9), { facts: {} }), { code: 'log-conflict' });
    }
    for (const number of [3, 4]) assert.deepEqual(Buffer.from(await store.get(segment(number))), bytesOf(number));
    assert.equal((await store.about(segment(4)))?.bytes, Number(size));
  });

test('a segment of other bytes than it says of itself comes neither into memory nor into a file', async () => {
  await using dir = await tempDir();
  await using files = new OwnFiles();
  const { repository, store } = await scene();
  await writeOwnBytes(repository, segmentKey(log, segment(3)), { about: { sha256: 'another' }, bytes: bytesOf(3) });
  await assert.rejects(store.get(segment(3)), { code: 'damaged', message: /does not hold the bytes/ });
  await assert.rejects(store.getInto(segment(3), dir.file('one'), files), {
    ...{ code: 'damaged', message: /does not hold the bytes/ },
  });
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
  const left = { epoch: 2, at: 4n * size + 60n };
  for (let times = 0; times < 2; times += 1) await store.putLeft(left, 'undone');
  const piece = { segment: segment(4, 2), from: 4n * size, to: 4n * size + 10n };
  await store.putPiece(piece, Buffer.from('0123456789'));
  await openLog(repository, { component: 'shop', stream: '1' }).put(segment(9), bytesOf(9), { facts: {} });
  await openLog(repository, { ...log, stream: '2' }).put(segment(9), bytesOf(9), { facts: {} });
  assert.deepEqual(await store.list(), {
    segments: [segment(3)],
    partials: [segment(4)],
    gaps: [segment(5)],
    histories: [2],
    left: [left],
    pieces: [piece],
  });
  assert.equal(await store.gapReason(segment(5)), 'the queue was full');
  assert.equal(await store.leftReason(left), 'undone');
  assert.equal((await store.getHistory(2)).forkedAt, 4n * size + 40n);
  assert.equal(Buffer.from(await store.getPiece(piece)).toString(), '0123456789');
  assert.deepEqual(await streamsOf(repository, 'shop-db'), ['2', '7300000000000000001']);
  await store.removePieces([piece, piece]);
  await store.remove([segment(3), segment(4), segment(5)]);
  assert.deepEqual(await store.list(), {
    segments: [],
    partials: [],
    gaps: [],
    histories: [2],
    left: [left],
    pieces: [],
  });
});

test('a name of what no log has is nobody’s, and a piece of another length than its name says is damaged', async () => {
  const { storage, store } = await scene();
  const [start, end, far] = ['0'.repeat(16), '0000000000100000', 'f'.repeat(16)];
  const at = 'shop-db/7300000000000000001/00000001';
  for (const name of [`${start}-${far}`, `${end}-${start}`, `${start}-${far}.partial`, `${end}-${end}.gap`])
    await storage.put(`holdfast/log/${at}/${name}`, [Buffer.from('forged')]);
  for (const name of [
    `${start}-${far}.${start}-${far}`,
    `${start}-${end}.${start}-${far}`,
    `${start}-${end}.${end}-${start}`,
  ])
    await storage.put(`holdfast/open/${at}/${name}`, [Buffer.from('forged')]);
  const { segments, partials, gaps, pieces } = await store.list();
  assert.deepEqual([segments, partials, gaps, pieces], [[], [], [], []]);
  const piece = { segment: segment(4), from: 4n * size, to: 4n * size + 10n };
  for (const text of ['012345678', '0123456789a']) {
    await store.putPiece(piece, Buffer.from(text));
    await assert.rejects(store.getPiece(piece), { code: 'damaged' });
    await store.removePieces([piece]);
  }
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

test('a sighting takes the place of the one before, and says what it says under its own name alone', async () => {
  const storage = new MemoryStorage();
  const store = openLog(await newRepository(storage), { component: 'shop-db', stream: '7' });
  assert.equal(await store.sighting(), undefined);
  await store.putSighting({ epoch: 1, at: 40n, timeNs: 1000n });
  const newer = { epoch: 2, at: 50n, timeNs: 2000n, heartbeatNs: 1990n };
  await store.putSighting(newer);
  await store.putSighting(newer);
  assert.deepEqual(await store.sighting(), newer);
  const keys = (await Array.fromAsync(storage.list('holdfast/open/'))).map(({ key }) => key);
  assert.deepEqual(keys, ['holdfast/open/shop-db/7/00000002/0000000000000032.seen-00000000000007d0']);
  assert.deepEqual((await store.list()).pieces, []);
  const [key = ''] = keys;
  await storage.put(key.replace('7d0', '8d0'), [await storage.get(key)], { ifAbsent: true });
  await assert.rejects(store.sighting(), /holds the content of another object/);
});

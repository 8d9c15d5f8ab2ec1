import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, test } from 'node:test';
import { lineageOf } from '../log/cover.ts';
import type { Extent, History } from '../log/log.ts';
import { openLog } from '../log/store.ts';
import { unionOf } from '../log/union.ts';
import { noSigns } from '../point/living.ts';
import { reachesOf, type MomentPlan } from '../point/moment.ts';
import type { RecoverablePoint } from '../point/point.ts';
import { OwnFiles } from '../repository/own-files.ts';
import { MemoryStorage } from '../storage/memory.ts';
import { newRepository } from '../../test/support/engine.ts';
import { tempDir } from '../../test/support/temp-dir.ts';
import type { HeldPlace } from './held-place.ts';
import { feedOf, readerOf, type ReadLog } from './read-log.ts';

const size = 0x1000n;
const at = (number: number, epoch = 1): Extent => ({
  epoch,
  from: BigInt(number) * size,
  to: BigInt(number + 1) * size,
});
const bytesOf = (number: number): Buffer => Buffer.alloc(Number(size), `${number}`);
const files = new OwnFiles();
after(async () => await files[Symbol.asyncDispose]());

async function placeWith(
  repository: string,
  numbers: readonly number[],
): Promise<HeldPlace & { readonly storage: MemoryStorage }> {
  const storage = new MemoryStorage();
  const store = openLog(await newRepository(storage), { component: 'shop-db', stream: '1' });
  for (const number of numbers) await store.put(at(number), bytesOf(number), { facts: {} });
  return { repository, store, listing: await store.list(), storage };
}

function logOf(places: readonly HeldPlace[], histories: readonly History[] = []): ReadLog {
  const listing = unionOf(places.map((place) => place.listing));
  const none = { unread: new Map(), unasked: [], abouts: new Map(), [Symbol.asyncDispose]: async () => undefined };
  return { stream: '1', listing, histories, signs: noSigns, places, files, ...none };
}

const base: RecoverablePoint = {
  component: 'shop-db',
  rule: 'full',
  method: 'physical',
  identity: 'a',
  timeNs: 0n,
  sizeBytes: undefined,
  log: { stream: '1', epoch: 1, from: size + 8n, to: size + 80n },
  copies: [],
};

function planOf(log: ReadLog, epoch = 1): MomentPlan {
  const [reach] = reachesOf([base], log, { epoch });
  return reach === undefined ? assert.fail() : { ...reach, kind: 'reachable' };
}

test('each segment comes from the nearest place that has it, and from the next where that one fails', async () => {
  await using dir = await tempDir();
  const path = dir.file('segment');
  const [near, far] = [await placeWith('near', [1, 3]), await placeWith('far', [1, 2, 3])];
  const log = logOf([near, far]);
  const plan = planOf(log);
  assert.deepEqual([plan.parts.length, plan.to], [3, 4n * size]);
  const [damaged = ''] = [...near.storage.durable.keys()].filter((key) => key.endsWith('3000-0000000000004000'));
  await near.storage.put(damaged, [Buffer.from('no longer what it was')]);
  const feed = feedOf(log, plan);
  for (const number of [1, 2, 3]) {
    assert.deepEqual(Buffer.from((await feed.segment(1, at(number).from)) ?? []), bytesOf(number));
    assert.equal(await feed.segmentInto(1, at(number).from, path), Number(size));
    assert.deepEqual(await readFile(path), bytesOf(number));
  }
  const alone = feedOf(logOf([near]), planOf(logOf([near])));
  for (const read of ['segment', 'segmentInto'] as const) {
    assert.equal(await feed[read](1, at(4).from, path), undefined, 'what no place lists is absent');
    await assert.rejects(alone[read](1, at(3).from, path), { code: 'damaged' });
  }
});

test('a file that can’t be written is not fetched from each further place', async () => {
  await using dir = await tempDir();
  const [near, far] = [await placeWith('near', [1]), await placeWith('far', [1])];
  const log = logOf([near, far]);
  far.storage.get = async () => await Promise.reject(new Error('it is asked, too'));
  const feed = feedOf(log, planOf(log));
  const writing = feed.segmentInto(1, at(1).from, dir.file('no/such/folder'));
  await assert.rejects(writing, { code: 'source-failed', message: /folder can't be written/ });
});

test('what an epoch wrote behind the fork of the one that is followed is handed to nobody', async () => {
  await using dir = await tempDir();
  const near = await placeWith('near', [1, 2, 3]);
  const history = { epoch: 2, parent: 1, forkedAt: 2n * size + 0x100n, bytes: Buffer.from('') };
  const log = logOf([near], [history]);
  assert.ok(lineageOf(2, [history]));
  const plan = planOf(log, 2);
  const bytes = Buffer.from((await feedOf(log, plan).segment(1, at(2).from)) ?? []);
  assert.deepEqual(bytes, Buffer.concat([bytesOf(2).subarray(0, 0x100), Buffer.alloc(0xf00)]));
  assert.equal(await feedOf(log, plan).segmentInto(1, at(2).from, dir.file('segment')), Number(size));
  assert.deepEqual(await readFile(dir.file('segment')), bytes);
  assert.deepEqual(Buffer.from((await feedOf(log, plan).segment(1, at(1).from)) ?? []), bytesOf(1));
  assert.equal(await readerOf(log, plan).about(at(2)), undefined, 'its sidecar tells of what is not handed over');
  assert.notEqual(await readerOf(log, plan).about(at(1)), undefined);
});

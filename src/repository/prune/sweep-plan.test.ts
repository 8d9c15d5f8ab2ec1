import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blobBytes, newRepository, storeBlobs } from '../../../test/support/repository.ts';
import type { BlobId, FileId } from '../../bytes/ids.ts';
import { ManualClock } from '../../clock/manual-clock.ts';
import { silent } from '../../events/events.ts';
import { MemoryStorage } from '../../storage/memory.ts';
import { BlobSet } from '../blob-set.ts';
import { blobsByPack } from '../by-pack.ts';
import { keyOf } from '../layout.ts';
import type { Repository } from '../repository.ts';
import { rewriteIndex } from '../rewrite-index.ts';
import { graceMs } from './journal.ts';
import { writeJournal } from './journals.ts';
import { executeSweep } from './sweep.ts';
import { planSweep, type PlannedSweep } from './sweep-plan.ts';

const clock = new ManualClock();
const shared = blobBytes('shared', 3000);

interface Stage {
  readonly storage: MemoryStorage;
  readonly repository: Repository;
  /** In both packs. */
  readonly blob: BlobId;
  readonly packs: readonly FileId[];
}

/** Two packs, each with `shared` and a blob of its own. */
async function stage(): Promise<Stage> {
  const storage = new MemoryStorage();
  const repository = await newRepository(storage);
  const [blob] = await storeBlobs(repository, 'data', [shared, blobBytes('one', 3000)]);
  await storeBlobs(repository, 'data', [shared, blobBytes('two', 3000)]);
  assert.ok(blob);
  return { storage, repository, blob, packs: repository.index.locations('data', blob).map(({ pack }) => pack) };
}

/** A marked journal of one pack, of which `shared` is needed. */
async function mark({ repository, blob }: Stage, pack: FileId): Promise<void> {
  for (const [id, blobs] of blobsByPack(repository.index, new Set([pack]))) {
    await writeJournal(repository, {
      state: 'marked',
      timeNs: clock.nowNs(),
      snapshots: [],
      packs: [{ id, blobs, other: {}, sizeBytes: 1 }],
      used: [{ type: 'data', id: blob }],
    });
  }
}

async function plan({ repository }: Stage, nowNs = clock.nowNs()): Promise<PlannedSweep> {
  return await planSweep(repository, { which: 'all', nowNs, findUsed: async () => new BlobSet(), listener: silent });
}

async function sweep(at: Stage, nowNs?: bigint): Promise<PlannedSweep> {
  const planned = await plan(at, nowNs);
  await executeSweep(at.repository, planned, { listener: silent, signal: new AbortController().signal });
  await at.repository.loadIndex(silent);
  return planned;
}

/** As another prune would. */
async function forgetPack({ repository }: Stage, pack: FileId): Promise<void> {
  const { obsolete } = await rewriteIndex(repository, { without: new Set([pack]) });
  for (const id of obsolete) await repository.removeFile('index', id);
}

const dayLaterNs = clock.nowNs() + BigInt(graceMs) * 1_000_000n;

test('two journals that each rely on a copy in a pack of the other: one of the packs stays', async () => {
  const at = await stage();
  for (const pack of at.packs) await mark(at, pack);
  const { plan: planned } = await sweep(at);
  assert.deepEqual([planned.drop.size, planned.unmark.size], [1, 1]);
  await sweep(at, dayLaterNs);
  assert.deepEqual(Buffer.from(await at.repository.readBlob('data', at.blob)), shared);
  assert.equal((await Array.fromAsync(at.storage.list('data/'))).length, 1);
});

test('a copy that was relied on when the pack was marked, and is gone by now, keeps the pack', async () => {
  const at = await stage();
  const [one, two] = at.packs;
  assert.ok(one && two);
  await mark(at, one);
  await forgetPack(at, two);
  assert.deepEqual([...(await plan(at)).plan.unmark.keys()], [one]);
});

test('a pack that is needed, and that another prune has deleted, is not taken back into the index', async () => {
  const at = await stage();
  const [one, two] = at.packs;
  assert.ok(one && two);
  await mark(at, one);
  await sweep(at);
  await forgetPack(at, two);
  assert.deepEqual([...(await plan(at)).plan.recover.keys()], [one]);
  await at.storage.remove(keyOf('data', one));
  assert.equal((await plan(at)).plan.recover.size, 0);
});

test('what is both named and marked by indexes, as a drop that was cut off leaves it, ends as one of both', async () => {
  for (const fate of ['dropped', 'needed'] as const) {
    const at = await stage();
    const [one] = at.packs;
    assert.ok(one);
    const old = await Array.fromAsync(at.repository.list('index'), ({ id }) => id);
    const oldIndexes = await Promise.all(
      old.map(async (id) => [id, await at.storage.get(keyOf('index', id))] as const),
    );
    await mark(at, one);
    await sweep(at);
    for (const [id, bytes] of oldIndexes) await at.storage.put(keyOf('index', id), [bytes]);
    for await (const { key } of at.storage.list('holdfast/')) await at.storage.remove(key);
    await at.repository.loadIndex(silent);
    if (fate === 'needed') for (const pack of at.packs) await mark(at, pack);
    else await mark(at, one);
    await sweep(at);
    const [named, marked] = [new Set<FileId>(), new Set<FileId>()];
    await at.repository.loadIndex(silent, {
      onRead: (_id, { packs, packsToDelete }) => {
        for (const { id } of packs) named.add(id);
        for (const { id } of packsToDelete) marked.add(id);
      },
    });
    assert.deepEqual([named.intersection(marked).size, named.union(marked).size], [0, 2], fate);
    assert.deepEqual(Buffer.from(await at.repository.readBlob('data', at.blob)), shared);
  }
});

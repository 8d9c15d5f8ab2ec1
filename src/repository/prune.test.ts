import assert from 'node:assert/strict';
import { test } from 'node:test';
import { budget } from '../../test/budget.ts';
import { blobBytes, newRepository, storeBlobs, testKey } from '../../test/support/repository.ts';
import { writerOptions } from '../../test/support/pipeline.ts';
import type { BlobId } from '../bytes/ids.ts';
import { ManualClock } from '../clock/manual-clock.ts';
import { hasCode } from '../errors/error.ts';
import { silent, type Event } from '../events/events.ts';
import { cutAt, countOperations, everyCut } from '../storage/powercut.ts';
import { MemoryStorage } from '../storage/memory.ts';
import type { ObjectInfo, Storage } from '../storage/storage.ts';
import { checkStructure, type Finding } from './check.ts';
import { createRepository } from './create.ts';
import { decodeIndexFile, encodeIndexFile } from './index-file.ts';
import { openRepository } from './open.ts';
import { executePrune, planPrune, pruneDefaults, type PruneOptions, type PrunePlan } from './prune.ts';
import type { PruneOutcome } from './prune/execute.ts';
import type { Repository } from './repository.ts';

const clock = new ManualClock();

async function prune(
  repository: Repository,
  keep: ReadonlySet<BlobId>,
  options: Partial<PruneOptions> = {},
): Promise<{ readonly plan: PrunePlan; readonly outcome: PruneOutcome; readonly warnings: readonly string[] }> {
  const warnings: string[] = [];
  const listener = (event: Event): void => void (event.kind === 'warning' && warnings.push(event.message));
  const settings = { ...pruneDefaults, maxUnused: { kind: 'bytes', bytes: 0 } as const, ...options };
  const findUsed = async () => ({ size: keep.size, has: (_type: string, id: BlobId) => keep.has(id) });
  const signal = new AbortController().signal;
  const { plan, used } = await planPrune(repository, { prune: settings, findUsed, clock, listener, signal });
  const outcome = await executePrune(repository, plan, {
    ...settings,
    used,
    writer: writerOptions(),
    listener,
  });
  await repository.loadIndex(silent);
  return { plan, outcome, warnings };
}

async function assertSound(repository: Repository): Promise<void> {
  const findings: Finding[] = [];
  const options = {
    report: (finding: Finding) => findings.push(finding),
    listener: silent,
    signal: new AbortController().signal,
  };
  const checked = await checkStructure(repository, options);
  await checked.readData({ kind: 'all' }, { ...options, random: Math.random });
  assert.deepEqual(
    findings.filter(({ severity }) => severity === 'error'),
    [],
  );
}

async function sizeOf(storage: Storage): Promise<number> {
  let sum = 0;
  for await (const { sizeBytes } of storage.list('data/')) sum += sizeBytes;
  return sum;
}

interface Stage {
  readonly storage: MemoryStorage;
  readonly repository: Repository;
  /** Three packs of four blobs. */
  readonly packs: readonly (readonly BlobId[])[];
}

async function stage(): Promise<Stage> {
  const storage = new MemoryStorage();
  const repository = await newRepository(storage);
  const packs: (readonly BlobId[])[] = [];
  for (const pack of [1, 2, 3]) {
    packs.push(
      await storeBlobs(
        repository,
        'data',
        [1, 2, 3, 4].map((n) => blobBytes(`${pack} ${n}`, 3000)),
      ),
    );
  }
  return { storage, repository, packs };
}

async function readAll(repository: Repository, ids: Iterable<BlobId>): Promise<void> {
  for (const id of ids) await repository.readBlob('data', id);
}

test('a prune keeps what is used and nothing else', async () => {
  const { storage, repository, packs } = await stage();
  const [first = [], second = []] = packs;
  const keep = new Set([...first, ...second.slice(0, 2)]);
  const before = await sizeOf(storage);
  const { plan, outcome } = await prune(repository, keep);
  assert.deepEqual([plan.remove.length, plan.repack.length, outcome.failedRemovals], [1, 1, 0]);
  assert.deepEqual([...repository.index.all()].map(({ id }) => id).sort(), [...keep].sort());
  await readAll(repository, keep);
  await assertSound(repository);
  assert.ok((await sizeOf(storage)) <= before - plan.statistics.bytes.removeTotal);
  const again = await prune(repository, keep);
  assert.deepEqual([again.plan.remove, again.plan.repack, again.plan.removeUnindexed], [[], [], []]);
});

test('a repository without snapshots is emptied', async () => {
  const { storage, repository } = await stage();
  await prune(repository, new Set());
  assert.deepEqual(await Array.fromAsync(storage.list('data/')), []);
  assert.deepEqual(await Array.fromAsync(storage.list('index/')), []);
});

test('a used blob that is missing stops a prune before it changes anything', async () => {
  const { storage, repository, packs } = await stage();
  const before = new Map(storage.durable);
  await assert.rejects(prune(repository, new Set(['f'.repeat(64) as BlobId])), { code: 'blob-missing' });
  assert.deepEqual(storage.durable, before);
  const [pack = ''] = (await Array.fromAsync(storage.list('data/'))).map(({ key }) => key);
  await storage.remove(pack);
  const rest = new Map(storage.durable);
  await assert.rejects(prune(repository, new Set(packs.flat())), { code: 'damaged' });
  assert.deepEqual(storage.durable, rest);
});

test('a blob that can not be read is no reason to lose others: the prune stops before anything is removed', async () => {
  const { storage, repository, packs } = await stage();
  const [[first] = []] = packs;
  const location = repository.index.locate('data', first as BlobId);
  const key = `data/${location?.pack.slice(0, 2)}/${location?.pack}`;
  const bytes = await storage.get(key);
  await storage.put(key, [bytes.with((location?.offset ?? 0) + 20, 1 ^ (bytes[(location?.offset ?? 0) + 20] ?? 0))]);
  const names = (await Array.fromAsync(storage.list(''))).map((info) => info.key);
  await assert.rejects(prune(repository, new Set(packs.map(([id]) => id as BlobId))), { code: 'damaged' });
  const left = new Set((await Array.fromAsync(storage.list(''))).map((info) => info.key));
  assert.ok(names.every((name) => left.has(name)));
});

test('a damaged copy is made good from a sound one', async () => {
  const { storage, repository, packs } = await stage();
  const [[first, second] = []] = packs;
  const location = repository.index.locate('data', first as BlobId);
  await storeBlobs(repository, 'data', [blobBytes('1 1', 3000), blobBytes('another', 3000)]);
  const key = `data/${location?.pack.slice(0, 2)}/${location?.pack}`;
  const bytes = await storage.get(key);
  const at = (location?.offset ?? 0) + 20;
  await storage.put(key, [bytes.with(at, 1 ^ (bytes[at] ?? 0))]);
  await prune(repository, new Set([first as BlobId, second as BlobId]));
  await readAll(repository, [first as BlobId, second as BlobId]);
  await assertSound(repository);
});

test('what rustic knows of packs, and the packs that it marked, outlive a prune', async () => {
  const { repository, packs } = await stage();
  const time = '2100-01-01T00:00:00Z';
  for await (const { id } of repository.list('index')) {
    const index = decodeIndexFile(await repository.readFile('index', id), 'index');
    const known = index.packs.map((pack) => ({ ...pack, other: { time, size: 7 } }));
    const marks = known.some(({ blobs }) => blobs.some((blob) => packs[2]?.includes(blob.id)));
    await repository.removeFile('index', id);
    await repository.writeFile(
      'index',
      encodeIndexFile({ other: { own: 1 }, packs: marks ? [] : known, packsToDelete: marks ? known : [] }),
    );
  }
  const { plan } = await prune(repository, new Set(packs[0]));
  assert.deepEqual([plan.remove.length, plan.leaveUnindexed.length], [1, 1]);
  const [id] = await Array.fromAsync(repository.list('index'), (file) => file.id);
  const index = decodeIndexFile(await repository.readFile('index', id ?? ('' as never)), 'index');
  assert.deepEqual([index.packs.length, index.packsToDelete.length, index.other], [1, 1, { own: 1 }]);
  assert.deepEqual(index.packs[0]?.other, { time, size: 7 });
});

/** Tells no ages in lists; of a single object where it is a known one. */
class AgelessStorage extends MemoryStorage {
  readonly ages = new Map<string, bigint>();

  override async stat(key: string): Promise<ObjectInfo> {
    const modifiedNs = this.ages.get(key);
    return { ...(await super.stat(key)), ...(modifiedNs === undefined ? {} : { modifiedNs }) };
  }
}

test('packs that no index names are asked for their age, and kept and told where nobody knows it', async () => {
  const storage = new AgelessStorage();
  const repository = await newRepository(storage);
  const [kept] = await storeBlobs(repository, 'data', [blobBytes('kept', 3000)]);
  const [old, young, ageless] = ['a', 'b', 'c'].map((letter) => `data/${letter.repeat(2)}/${letter.repeat(64)}`);
  const hourNs = 3_600_000_000_000n;
  storage.ages.set(old ?? '', clock.nowNs() - 25n * hourNs);
  storage.ages.set(young ?? '', clock.nowNs() - 23n * hourNs);
  for (const key of [old, young, ageless]) await storage.put(key ?? '', [Buffer.from('no pack')]);
  const { plan, warnings } = await prune(repository, new Set([kept as BlobId]));
  assert.deepEqual(plan.removeUnindexed, ['a'.repeat(64)]);
  assert.deepEqual(plan.leaveUnindexed.toSorted(), ['b'.repeat(64), 'c'.repeat(64)]);
  assert.deepEqual(warnings, ['1 that no index names are kept: the storage does not say how old they are']);
  await assert.rejects(storage.get(old ?? ''), { code: 'storage-not-found' });
});

test('a recovery without free space removes before it writes', async () => {
  const { storage, repository, packs } = await stage();
  const keep = new Set([...(packs[0] ?? []), ...(packs[1] ?? []).slice(0, 1)]);
  const { plan } = await prune(repository, keep, { unsafeRecoverNoFreeSpace: true });
  assert.deepEqual([plan.remove.length, plan.repack.length], [1, 0]);
  await readAll(repository, keep);
  await assertSound(repository);
  assert.equal((await Array.fromAsync(storage.list('data/'))).length, 2);
});

test('a power cut at any operation of a prune loses nothing, and the next prune finishes it', async () => {
  const { storage, packs } = await stage();
  const [first = [], second = []] = packs;
  const keep = new Set([...first, ...second.slice(0, 2)]);
  const start = { image: new Map(storage.durable), clock };
  const program = async (on: Storage): Promise<void> => {
    await prune(await openRepository({ storage: on, clock, password: testKey.password }), keep);
  };
  const operations = await countOperations(start, program);
  const cuts = [...everyCut(operations)].filter((_cut, number) => number % budget.crashStep === 0);
  let reached = 0;
  for (const { point, fate } of cuts) {
    const outcome = await cutAt(start, point, program);
    if (!outcome.reached) continue;
    reached += 1;
    const survivors = outcome.survivors(fate);
    const repository = await openRepository({ storage: survivors, clock, password: testKey.password });
    await repository.loadIndex(silent);
    await readAll(repository, keep);
    await assertSound(repository);
    await prune(repository, keep);
    await readAll(repository, keep);
    assert.equal(repository.index.size, keep.size);
  }
  assert.ok(reached >= cuts.length / 2, `${reached} of ${cuts.length} cuts in ${operations} operations`);
});

test('a power cut at any operation of a change of password leaves one that opens', async () => {
  const storage = new MemoryStorage();
  await createRepository({ storage, clock, key: testKey, version: 2 });
  const start = { image: new Map(storage.durable), clock };
  const program = async (on: Storage): Promise<void> => {
    const repository = await openRepository({ storage: on, clock, password: testKey.password });
    await repository.keys.changePassword({ ...testKey, password: 'new' });
  };
  for (const { point, fate } of everyCut(await countOperations(start, program))) {
    const { survivors } = await cutAt(start, point, program);
    const opened = await Promise.allSettled(
      [testKey.password, 'new'].map((password) => openRepository({ storage: survivors(fate), clock, password })),
    );
    assert.ok(
      opened.some(({ status }) => status === 'fulfilled'),
      JSON.stringify(point),
    );
  }
});

test('a power cut at any operation of an init leaves a repository, or a place that says what to do', async () => {
  const start = { image: new Map(), clock };
  const program = async (on: Storage): Promise<void> => {
    await createRepository({ storage: on, clock, key: testKey, version: 2 });
  };
  for (const { point, fate } of everyCut(await countOperations(start, program))) {
    const storage = (await cutAt(start, point, program)).survivors(fate);
    const [opened] = await Promise.allSettled([openRepository({ storage, clock, password: testKey.password })]);
    if (opened.status === 'fulfilled') continue;
    assert.ok(hasCode(opened.reason, 'no-repository'));
    const [made] = await Promise.allSettled([createRepository({ storage, clock, key: testKey, version: 2 })]);
    if (made.status === 'rejected')
      assert.match(hasCode(made.reason, 'refused') ? made.reason.next : '', /folder keys/);
  }
});

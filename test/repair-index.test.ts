import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseFileId } from '../src/bytes/ids.ts';
import { silent } from '../src/events/events.ts';
import { repairIndex } from '../src/job/repair-index.ts';
import type { JobContext } from '../src/job/job.ts';
import type { RepairIndexPlan } from '../src/repository/repair-index.ts';
import { MemoryStorage } from '../src/storage/memory.ts';
import { resticOk, withoutRestic } from './servers/restic.ts';
import { cutOff, flipBit, keysOfKind } from './support/damage.ts';
import { cheapKey, examine, jobContext } from './support/engine.ts';
import { checked, threeBackups } from './support/operations.ts';
import { storedIn } from './support/stored-in.ts';
import { tempDir } from './support/temp-dir.ts';

async function start(): Promise<{ readonly storage: MemoryStorage; readonly context: JobContext }> {
  await using dir = await tempDir();
  const storage = new MemoryStorage(await threeBackups(dir));
  return { storage, context: jobContext(storage) };
}

async function repaired(
  context: JobContext,
  packs: 'wrong' | 'all' = 'wrong',
  mode: 'execute' | 'dry-run' = 'execute',
): Promise<RepairIndexPlan> {
  return await repairIndex(context, { packs, mode, onPlan: () => undefined });
}

async function indexesOf(storage: MemoryStorage): Promise<readonly string[]> {
  return (await Array.fromAsync(storage.list('index/'), ({ key }) => key)).toSorted();
}

test('an index that was lost is made again from the packs, and is as good as before', async () => {
  for (const lost of ['one', 'all'] as const) {
    const { storage, context } = await start();
    const files = await indexesOf(storage);
    for (const key of lost === 'all' ? files : files.slice(0, 1)) await storage.remove(key);
    const plan = await repaired(context);
    assert.ok(plan.read.size > 0 && plan.torn.length + plan.missing.length === 0);
    const { findings, snapshots } = await examine(storage);
    assert.deepEqual([findings, snapshots.length], [[], 3]);
  }
});

test('a damaged index file goes, and what it alone named is found in the packs', async () => {
  for (const damage of [flipBit, cutOff]) {
    const { storage, context } = await start();
    const [key = ''] = await indexesOf(storage);
    await damage(storage, key, () => 0.4);
    const plan = await repaired(context);
    assert.deepEqual(plan.unreadable, [key.slice('index/'.length)]);
    assert.ok(!(await indexesOf(storage)).includes(key));
    assert.deepEqual((await examine(storage)).findings, []);
  }
});

test('a dry run of repair index tells the plan that is carried out, and changes nothing', async () => {
  const { storage, context } = await start();
  const [key = ''] = await indexesOf(storage);
  await storage.remove(key);
  const before = new Map(storage.durable);
  const planned = await repaired(context, 'wrong', 'dry-run');
  assert.deepEqual(new Map(storage.durable), before);
  const done = await repaired(context);
  for (const part of ['unreadable', 'missing', 'read', 'torn', 'repeated'] as const) {
    assert.deepEqual(planned[part], done[part], part);
  }
});

test('an index that is right is left alone; --read-all-packs makes one that says the same', async () => {
  const { storage, context } = await start();
  const before = await indexesOf(storage);
  const blobs = await blobsNamed(context);
  await repaired(context);
  assert.deepEqual(await indexesOf(storage), before);
  const plan = await repaired(context, 'all');
  assert.ok(plan.read.size > 0);
  assert.equal((await indexesOf(storage)).filter((key) => before.includes(key)).length, 0);
  assert.deepEqual(await blobsNamed(context), blobs);
});

async function blobsNamed(context: JobContext): Promise<readonly string[]> {
  await using repository = await context.access.open();
  await repository.loadIndex(silent);
  return Array.from(repository.index.all(), (blob) => JSON.stringify(blob)).toSorted();
}

test('a pack that is gone is forgotten; one that is torn stays in the index, to be salvaged', async () => {
  const { storage, context } = await start();
  const [gone = '', torn = ''] = await keysOfKind(storage, context, 'data pack');
  await storage.remove(gone);
  await storage.put(torn, [(await storage.get(torn)).slice(0, -10)]);
  const plan = await repaired(context);
  assert.deepEqual(
    plan.missing.map((id) => `data/${id.slice(0, 2)}/${id}`),
    [gone],
  );
  assert.deepEqual(
    plan.torn.map(({ pack, indexed }) => [`data/${pack.slice(0, 2)}/${pack}`, indexed]),
    [[torn, true]],
  );
  const { codes } = await checked(context, 'structure');
  assert.ok(codes.includes('pack-size') && !codes.includes('pack-missing'), codes.join());
});

test('index files that name packs twice are merged', async () => {
  const { storage, context } = await start();
  await using repository = await context.access.open();
  for (const key of await indexesOf(storage)) {
    const text = await repository.readFile('index', parseFileId(key.slice('index/'.length)));
    await repository.writeFile('index', text);
  }
  const plan = await repaired(context);
  assert.ok(plan.repeated > 0);
  const { hints, errors } = await checked(context, 'structure');
  assert.deepEqual([hints, errors], [0, 0]);
});

test(
  'restic makes the same index of a damaged repository, and finds ours right',
  { skip: withoutRestic('0.19.1'), timeout: 120_000 },
  async () => {
    await using dir = await tempDir();
    const { storage, context } = await start();
    const [index = '', other = ''] = await indexesOf(storage);
    await storage.remove(index);
    await cutOff(storage, other, () => 0.5);
    const at = { repository: dir.file('restic'), password: cheapKey.password };
    storedIn(at.repository, storage);
    await resticOk('0.19.1', at, ['repair', 'index']);
    await repaired(context);
    const ours = { ...at, repository: dir.file('ours') };
    storedIn(ours.repository, storage);
    const listed = await Promise.all(
      [at, ours].map(async (each) => (await resticOk('0.19.1', each, ['list', 'blobs', '-q'])).split('\n').toSorted()),
    );
    assert.deepEqual(listed[1], listed[0]);
    assert.match(await resticOk('0.19.1', ours, ['check', '--read-data']), /no errors were found/);
  },
);

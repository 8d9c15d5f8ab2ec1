import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseFileId } from '../src/bytes/ids.ts';
import { silent } from '../src/events/events.ts';
import type { JobContext } from '../src/job/job.ts';
import { resticOk, withoutRestic } from './servers/restic.ts';
import { cutOff, flipBit, keysOfKind } from './support/damage.ts';
import { cheapKey, examine } from './support/engine.ts';
import { checked } from './support/operations.ts';
import { indexRepaired, keysOf, patient } from './support/repairing.ts';
import { storedIn } from './support/stored-in.ts';
import { tempDir } from './support/temp-dir.ts';

test('an index that was lost is made again from the packs, and is as good as before', async () => {
  for (const lost of ['one', 'all'] as const) {
    const { storage, context } = await patient();
    const files = await keysOf(storage, 'index/');
    for (const key of lost === 'all' ? files : files.slice(0, 1)) await storage.remove(key);
    const plan = await indexRepaired(context);
    assert.ok(plan.read.size > 0 && plan.torn.length + plan.missing.length === 0);
    const { findings, snapshots } = await examine(storage);
    assert.deepEqual([findings, snapshots.length], [[], 3]);
  }
});

test('a damaged index file goes, and what it alone named is found in the packs', async () => {
  for (const damage of [flipBit, cutOff]) {
    const { storage, context } = await patient();
    const [key = ''] = await keysOf(storage, 'index/');
    await damage(storage, key, () => 0.4);
    const plan = await indexRepaired(context);
    assert.deepEqual(plan.unreadable, [key.slice('index/'.length)]);
    assert.ok(!(await keysOf(storage, 'index/')).includes(key));
    assert.deepEqual((await examine(storage)).findings, []);
  }
});

test('a dry run of repair index tells the plan that is carried out, and changes nothing', async () => {
  const { storage, context } = await patient();
  const [key = ''] = await keysOf(storage, 'index/');
  await storage.remove(key);
  const before = new Map(storage.durable);
  const planned = await indexRepaired(context, 'wrong', 'dry-run');
  assert.deepEqual(new Map(storage.durable), before);
  const done = await indexRepaired(context);
  for (const part of ['unreadable', 'missing', 'read', 'torn', 'repeated'] as const) {
    assert.deepEqual(planned[part], done[part], part);
  }
});

test('an index that is right is left alone; --read-all-packs makes one that says the same', async () => {
  const { storage, context } = await patient();
  const before = await keysOf(storage, 'index/');
  const blobs = await blobsNamed(context);
  await indexRepaired(context);
  assert.deepEqual(await keysOf(storage, 'index/'), before);
  const plan = await indexRepaired(context, 'all');
  assert.ok(plan.read.size > 0);
  assert.equal((await keysOf(storage, 'index/')).filter((key) => before.includes(key)).length, 0);
  assert.deepEqual(await blobsNamed(context), blobs);
});

async function blobsNamed(context: JobContext): Promise<readonly string[]> {
  await using repository = await context.access.open();
  await repository.loadIndex(silent);
  return Array.from(repository.index.all(), (blob) => JSON.stringify(blob)).toSorted();
}

test('a pack that is gone is forgotten; one that is torn stays in the index, to be salvaged', async () => {
  const { storage, context } = await patient();
  const [gone = '', torn = ''] = await keysOfKind(storage, context, 'data pack');
  await storage.remove(gone);
  await storage.put(torn, [(await storage.get(torn)).slice(0, -10)]);
  const plan = await indexRepaired(context);
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
  const { storage, context } = await patient();
  await using repository = await context.access.open();
  for (const key of await keysOf(storage, 'index/')) {
    const text = await repository.readFile('index', parseFileId(key.slice('index/'.length)));
    await repository.writeFile('index', text);
  }
  const plan = await indexRepaired(context);
  assert.ok(plan.repeated > 0);
  const { hints, errors } = await checked(context, 'structure');
  assert.deepEqual([hints, errors], [0, 0]);
});

test(
  'restic makes the same index of a damaged repository, and finds ours right',
  { skip: withoutRestic('0.19.1'), timeout: 120_000 },
  async () => {
    await using dir = await tempDir();
    const { storage, context } = await patient();
    const [index = '', other = ''] = await keysOf(storage, 'index/');
    await storage.remove(index);
    await cutOff(storage, other, () => 0.5);
    const at = { repository: dir.file('restic'), password: cheapKey.password };
    storedIn(at.repository, storage);
    await resticOk('0.19.1', at, ['repair', 'index']);
    await indexRepaired(context);
    const ours = { ...at, repository: dir.file('ours') };
    storedIn(ours.repository, storage);
    const listed = await Promise.all(
      [at, ours].map(async (each) => (await resticOk('0.19.1', each, ['list', 'blobs', '-q'])).split('\n').toSorted()),
    );
    assert.deepEqual(listed[1], listed[0]);
    assert.match(await resticOk('0.19.1', ours, ['check', '--read-data']), /no errors were found/);
  },
);

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { displayPath } from '../src/bytes/ids.ts';
import { hasCode } from '../src/errors/error.ts';
import { silent } from '../src/events/events.ts';
import type { JobContext } from '../src/job/job.ts';
import { listSnapshots } from '../src/snapshot/snapshots.ts';
import type { Snapshot } from '../src/snapshot/snapshot.ts';
import { walkTree } from '../src/snapshot/walk.ts';
import { FaultyStorage } from '../src/storage/fault.ts';
import { MemoryStorage, type Image } from '../src/storage/memory.ts';
import { countOperations, cutAt, everyCut } from '../src/storage/powercut.ts';
import type { Storage } from '../src/storage/storage.ts';
import { resticOk, withoutRestic } from './servers/restic.ts';
import { keysOfKind } from './support/damage.ts';
import { cheapKey, examine, jobContext } from './support/engine.ts';
import { prove } from './support/proof.ts';
import { indexRepaired, keysOf, patient, snapshotsRepaired, type Patient } from './support/repairing.ts';
import { jsonLines, type JsonRecord } from './support/scene.ts';
import { storedIn } from './support/stored-in.ts';
import { tempDir } from './support/temp-dir.ts';

/** A pack of this kind is gone, and the index knows it. */
async function without(kind: 'data pack' | 'tree pack', number: number): Promise<Patient> {
  const { storage, context } = await patient();
  const key = (await keysOfKind(storage, context, kind))[number] ?? '';
  await storage.remove(key);
  await indexRepaired(context);
  return { storage, context };
}

async function snapshotsIn(context: JobContext): Promise<readonly Snapshot[]> {
  await using repository = await context.access.open();
  return (await listSnapshots(repository)).flatMap((one) => (one.kind === 'snapshot' ? [one.snapshot] : []));
}

/** The paths of a snapshot, with each file's size. */
async function itemsOf(context: JobContext, { tree }: Snapshot): Promise<ReadonlyMap<string, number>> {
  await using repository = await context.access.open();
  await repository.loadIndex(silent);
  const items = new Map<string, number>();
  for await (const item of walkTree(repository, tree)) {
    if (item.kind === 'node') items.set(displayPath(item.path), item.node.sizeBytes);
    else items.set(displayPath(item.path), -1);
  }
  return items;
}

test('repair snapshots names each lost file, writes a copy tagged repaired without it, and keeps the original', async () => {
  const { context } = await without('data pack', 0);
  const before = await snapshotsIn(context);
  const { repairs, whole } = await snapshotsRepaired(context, 'keep');
  const after = await snapshotsIn(context);
  assert.ok(repairs.length > 0);
  assert.equal(after.length, before.length + repairs.length);
  assert.equal(repairs.length + whole, before.length);
  for (const { snapshot, changes } of repairs) {
    const copy = after.find(({ original }) => original === snapshot.id);
    assert.ok(copy);
    assert.deepEqual(copy.tags, [...snapshot.tags, 'repaired']);
    assert.deepEqual([copy.time, copy.paths, copy.hostname], [snapshot.time, snapshot.paths, snapshot.hostname]);
    const [old, repaired] = [await itemsOf(context, snapshot), await itemsOf(context, copy)];
    assert.deepEqual([...repaired.keys()], [...old.keys()], 'every name is still there');
    const changed = [...old].filter(([path, size]) => repaired.get(path) !== size).map(([path]) => path);
    assert.deepEqual(changes.map(({ path }) => displayPath(path)).toSorted(), changed.toSorted());
    assert.ok(changes.every(({ kind }) => kind === 'file cut'));
  }
});

test('a folder that can’t be read is empty in the copy, and named', async () => {
  const { storage, context } = await patient();
  for (const key of await keysOfKind(storage, context, 'tree pack')) {
    const copy = { storage: new MemoryStorage(new Map(storage.durable)) };
    const at = jobContext(copy.storage);
    await copy.storage.remove(key);
    await indexRepaired(at);
    const { repairs } = await snapshotsRepaired(at, 'forget');
    assert.ok(
      repairs.length > 0 && repairs.every(({ changes }) => changes.some(({ kind }) => kind === 'folder emptied')),
    );
    assert.deepEqual((await examine(copy.storage)).findings, [], 'what is left is whole');
  }
});

test('a snapshot of which nothing can be read goes only with --forget', async () => {
  const { storage, context } = await patient();
  for (const key of await keysOfKind(storage, context, 'tree pack')) await storage.remove(key);
  await indexRepaired(context);
  const before = await snapshotsIn(context);
  const { repairs } = await snapshotsRepaired(context, 'keep');
  assert.deepEqual(
    repairs.map(({ tree }) => tree),
    [undefined, undefined, undefined],
  );
  assert.deepEqual(await snapshotsIn(context), before);
  await snapshotsRepaired(context, 'forget');
  assert.deepEqual(await snapshotsIn(context), []);
});

test('what comes wrong once, and right when it is read again, is not lost', async () => {
  const { storage } = await patient();
  const before = new Map(storage.durable);
  const seen = new Map<string, number>();
  const faulty = new FaultyStorage(storage, {
    faultFor: ({ kind, key }) => {
      const times = (seen.get(key) ?? 0) + 1;
      seen.set(key, times);
      return kind === 'get' && /^(data|index|snapshots)/.test(key) && times % 2 === 1 ? 'flip' : undefined;
    },
  });
  await snapshotsRepaired(jobContext(faulty), 'forget');
  assert.deepEqual(new Map(storage.durable), before);
});

test('what a listing of the index left out, once, is not lost', async () => {
  const { storage } = await patient();
  for (const listing of [1, 2, 3]) {
    const left = new MemoryStorage(new Map(storage.durable));
    let listings = 0;
    const lagging = new FaultyStorage(left, {
      faultFor: ({ kind, key }) =>
        kind === 'list' && key === 'index/' && ++listings === listing ? 'stale-list' : undefined,
    });
    const failure = await snapshotsRepaired(jobContext(lagging), 'forget').catch((error: unknown) => error);
    assert.ok(
      !(failure instanceof Error) || hasCode(failure, 'storage-failed'),
      `listing ${listing}: ${String(failure)}`,
    );
    assert.deepEqual(await keysOf(left, 'snapshots/'), await keysOf(storage, 'snapshots/'), `listing ${listing}`);
  }
});

test('--forget leaves repaired snapshots alone; a second repair finds the first one’s work', async () => {
  for (const originals of ['keep', 'forget'] as const) {
    const { storage, context } = await without('data pack', 0);
    await snapshotsRepaired(context, originals);
    const once = await keysOf(storage, 'snapshots/');
    await snapshotsRepaired(context, originals);
    assert.deepEqual(await keysOf(storage, 'snapshots/'), once);
    if (originals === 'keep') continue;
    assert.deepEqual((await examine(storage)).findings, []);
    assert.ok((await snapshotsIn(context)).every(({ tags }) => !tags.includes('repaired')));
  }
});

test('a dry run of repair snapshots tells the plan that is carried out, and changes nothing', async () => {
  const { storage, context } = await without('data pack', 0);
  const before = new Map(storage.durable);
  const planned = await snapshotsRepaired(context, 'keep', 'dry-run');
  assert.deepEqual(new Map(storage.durable), before);
  assert.deepEqual(await snapshotsRepaired(context, 'keep'), planned);
});

test(
  'a power cut at any moment of repair snapshots --forget loses nothing more',
  { timeout: 300_000 },
  async (context) => {
    const { storage } = await without('data pack', 0);
    const start = { image: new Map(storage.durable) satisfies Image };
    const program = async (on: Storage): Promise<void> => void (await snapshotsRepaired(jobContext(on), 'forget'));
    const wanted = new MemoryStorage(start.image);
    await program(wanted);
    const { trees } = await examine(wanted);
    const count = await countOperations(start, program);
    let cuts = 0;
    for (const [at, { point, fate }] of [...everyCut(count)].entries()) {
      if (at % 5 !== 0) continue;
      const { reached, survivors } = await cutAt(start, point, program);
      if (!reached) continue;
      cuts += 1;
      const left = survivors(fate);
      for (const key of await keysOf(left, 'locks/')) await left.remove(key);
      await program(left);
      const health = await examine(left);
      assert.deepEqual([health.findings, health.trees.toSorted()], [[], trees.toSorted()], JSON.stringify(point));
    }
    assert.ok(cuts > count / 3);
    prove(context, {
      claim: 'a power cut at any moment of repair snapshots loses nothing more',
      count: `${cuts} cuts`,
    });
  },
);

test(
  'restic repairs the same damage to the same trees',
  { skip: withoutRestic('0.19.1'), timeout: 120_000 },
  async () => {
    for (const kind of ['data pack', 'tree pack'] as const) {
      await using dir = await tempDir();
      const { storage, context } = await without(kind, 0);
      const at = { repository: dir.file('restic'), password: cheapKey.password };
      storedIn(at.repository, storage);
      await resticOk('0.19.1', at, ['repair', 'snapshots', '--forget']);
      const theirs = jsonLines(await resticOk('0.19.1', at, ['snapshots', '--json']));
      await snapshotsRepaired(context, 'forget');
      const ours = { ...at, repository: dir.file('ours') };
      storedIn(ours.repository, storage);
      const told = jsonLines(await resticOk('0.19.1', ours, ['snapshots', '--json']));
      assert.deepEqual(treesIn(told), treesIn(theirs), kind);
      assert.match(await resticOk('0.19.1', ours, ['check', '--read-data']), /no errors were found/);
    }
  },
);

function treesIn(snapshots: readonly JsonRecord[]): readonly JsonRecord[] {
  return snapshots.map(({ tree, original, tags }) => ({ tree, original, tags }));
}

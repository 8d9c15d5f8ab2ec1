import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseFileId } from '../src/bytes/ids.ts';
import { silent } from '../src/events/events.ts';
import type { JobContext } from '../src/job/job.ts';
import { repairPacks } from '../src/job/repair-packs.ts';
import type { BlobLocation } from '../src/repository/index.ts';
import type { RepairPacksPlan } from '../src/repository/repair-packs.ts';
import { FaultyStorage, type Fault, type Operation } from '../src/storage/fault.ts';
import { MemoryStorage } from '../src/storage/memory.ts';
import { countOperations, cutAt, everyCut } from '../src/storage/powercut.ts';
import type { Storage } from '../src/storage/storage.ts';
import { resticOk, withoutRestic } from './servers/restic.ts';
import { cheapKey, examine, jobContext } from './support/engine.ts';
import { LaggingStorage } from './support/lagging-storage.ts';
import { writerOptions } from './support/pipeline.ts';
import { indexRepaired, keysOf, patient, snapshotsRepaired, type Patient } from './support/repairing.ts';
import { storedIn } from './support/stored-in.ts';
import { tempDir } from './support/temp-dir.ts';

/** The data pack of most blobs. 'torn': its end is gone, the last blob's last byte too; 'flipped': a bit of its first blob. */
async function damaged(how: 'torn' | 'flipped'): Promise<Patient & { readonly key: string; readonly id: string }> {
  const { storage, context } = await patient();
  const blobs = await dataBlobs(context);
  const byPack = [...Map.groupBy(blobs, ({ pack }) => pack)].toSorted(([, a], [, b]) => b.length - a.length);
  const [id, inside] = byPack[0] ?? assert.fail('there is no data pack');
  assert.ok(inside.length > 1);
  const key = `data/${id.slice(0, 2)}/${id}`;
  const bytes = Uint8Array.from(await storage.get(key));
  bytes[20] = (bytes[20] ?? 0) ^ (how === 'flipped' ? 1 : 0);
  const end = Math.max(...inside.map(({ offset, length }) => offset + length));
  await storage.put(key, [how === 'torn' ? bytes.slice(0, end - 1) : bytes]);
  return { storage, context, key, id };
}

async function dataBlobs(context: JobContext): Promise<readonly BlobLocation[]> {
  await using repository = await context.access.open();
  await repository.loadIndex(silent);
  return [...repository.index.all()].filter(({ type }) => type === 'data');
}

async function repaired(
  context: JobContext,
  id: string,
  copiesIn: string,
  mode: 'execute' | 'dry-run' = 'execute',
): Promise<RepairPacksPlan> {
  const packs = new Set([parseFileId(id)]);
  return await repairPacks(context, { packs, copiesIn, writer: writerOptions(), mode, onPlan: () => undefined });
}

test('what is intact in a damaged pack is saved, the pack is kept beside, and the rest is lost by name', async () => {
  for (const how of ['torn', 'flipped'] as const) {
    await using dir = await tempDir();
    const { storage, context, key, id } = await damaged(how);
    const bytes = await storage.get(key);
    const { packs } = await repaired(context, id, dir.path);
    assert.ok(
      packs.every(({ intact, lost }) => intact.length > 0 && lost.length > 0),
      how,
    );
    assert.ok(!storage.durable.has(key));
    assert.deepEqual(readFileSync(dir.file(`pack-${id}`)), Buffer.from(bytes));
    await snapshotsRepaired(context, 'forget');
    const { findings, snapshots } = await examine(storage);
    assert.deepEqual([findings, snapshots.length], [[], 3]);
  }
});

test('a blob that the storage gives wrong once, or not at all, is not lost for that', async () => {
  for (const fault of ['error', 'flip', 'truncate'] as const) {
    await using dir = await tempDir();
    const { storage, id, key } = await damaged('flipped');
    const [wanted] = (await repaired(jobContext(storage), id, dir.path, 'dry-run')).packs;
    const offsets = new Set(wanted?.intact.map(({ offset }) => offset));
    const faultFor = (operation: Operation): Fault | undefined =>
      operation.key === key && offsets.delete(operation.range?.offset ?? -1) ? fault : undefined;
    const faulty = jobContext(new FaultyStorage(storage, { faultFor }));
    const [found] = (await repaired(faulty, id, dir.path, 'dry-run')).packs;
    assert.deepEqual([found?.intact, offsets.size], [wanted?.intact, 0], fault);
    assert.ok(found !== undefined && found.intact.length > 0);
  }
});

test('what a listing of the index left out, once, is not lost with a pack', async () => {
  await using dir = await tempDir();
  const { storage, key, id } = await damaged('torn');
  const lagging = new LaggingStorage(storage.durable);
  lagging.lag({ prefix: 'index/', atListing: 1, hides: () => true });
  await assert.rejects(repaired(jobContext(lagging), id, dir.path), { code: 'storage-failed' });
  assert.ok(lagging.durable.has(key), 'the index names what can be saved of it');
});

test('a dry run of repair packs tells the plan that is carried out, and changes nothing', async () => {
  await using dir = await tempDir();
  const { storage, context, id } = await damaged('torn');
  const before = new Map(storage.durable);
  const planned = await repaired(context, id, dir.path, 'dry-run');
  assert.deepEqual(new Map(storage.durable), before);
  assert.ok(!existsSync(dir.file(`pack-${id}`)));
  assert.deepEqual(await repaired(context, id, dir.path), planned);
});

test('a power cut at any moment of repair packs costs no blob that was intact', { timeout: 300_000 }, async () => {
  await using dir = await tempDir();
  const { storage, id } = await damaged('flipped');
  const start = { image: new Map(storage.durable) };
  const program = async (on: Storage): Promise<void> => void (await repaired(jobContext(on), id, dir.path));
  const wanted = new MemoryStorage(start.image);
  await program(wanted);
  await snapshotsRepaired(jobContext(wanted), 'forget');
  const { trees } = await examine(wanted);
  for (const [at, { point, fate }] of [...everyCut(await countOperations(start, program))].entries()) {
    if (at % 15 !== 0) continue;
    const { survivors } = await cutAt(start, point, program);
    const left = survivors(fate);
    for (const key of await keysOf(left, 'locks/')) await left.remove(key);
    await program(left);
    await snapshotsRepaired(jobContext(left), 'forget');
    const health = await examine(left);
    assert.deepEqual([health.findings, health.trees.toSorted()], [[], trees.toSorted()], JSON.stringify(point));
  }
});

test('restic saves the same of the same damage', { skip: withoutRestic('0.19.1'), timeout: 120_000 }, async () => {
  for (const how of ['torn', 'flipped'] as const) {
    await using dir = await tempDir();
    const { storage, context, id } = await damaged(how);
    const at = { repository: dir.file('restic'), password: cheapKey.password };
    storedIn(at.repository, storage);
    mkdirSync(dir.file('copies'));
    await resticOk('0.19.1', at, ['repair', 'packs', id], { cwd: dir.file('copies') });
    await repaired(context, id, dir.path);
    const ours = { ...at, repository: dir.file('ours') };
    storedIn(ours.repository, storage);
    const [theirs, own] = await Promise.all(
      [at, ours].map(async (each) => new Set((await resticOk('0.19.1', each, ['list', 'blobs', '-q'])).split('\n'))),
    );
    assert.deepEqual([...(own ?? [])].toSorted(), [...(theirs ?? [])].toSorted(), how);
    assert.deepEqual(readFileSync(dir.file(`pack-${id}`)), readFileSync(dir.file(`copies/pack-${id}`)));
    await snapshotsRepaired(context, 'forget');
    await indexRepaired(context);
    storedIn(dir.file('whole'), storage);
    const whole = { ...at, repository: dir.file('whole') };
    assert.match(await resticOk('0.19.1', whole, ['check', '--read-data']), /no errors were found/);
  }
});

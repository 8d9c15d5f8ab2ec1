import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../src/clock/manual-clock.ts';
import { lockMemory, lockReadings } from '../src/repository/lock-memory.ts';
import { readLocks } from '../src/repository/read-locks.ts';
import { retain, type Retained } from '../src/repository/retain.ts';
import type { Repository } from '../src/repository/repository.ts';
import { VersionedMemoryStorage } from '../src/storage/memory-versions.ts';
import { blobBytes, newRepository, storeBlobs } from './support/repository.ts';
import { tempDir } from './support/temp-dir.ts';

const dayMs = 86_400_000;
const monthMs = 30 * dayMs;
const monthNs = BigInt(monthMs) * 1_000_000n;
const { signal } = new AbortController();

interface Scene {
  readonly clock: ManualClock;
  readonly storage: VersionedMemoryStorage;
  readonly repository: Repository;
  /** Locks what the one snapshot needs. */
  readonly lock: (folder?: string) => Promise<Retained | undefined>;
}

async function lockedScene(): Promise<Scene> {
  const clock = new ManualClock();
  const storage = new VersionedMemoryStorage(clock, { ms: monthMs, mode: 'compliance' });
  const repository = await newRepository(storage);
  await storeBlobs(repository, 'data', [blobBytes('one', 1000)]);
  const snapshot = await repository.writeFile('snapshots', Buffer.from('{}'));
  const packs = [...repository.index.all()].map(({ pack }) => pack);
  const lock: Scene['lock'] = async (folder) => {
    const memory = await lockMemory(folder, repository, clock);
    const retained = await retain(repository, { snapshots: [snapshot], packs }, { clock, memory, signal });
    await memory.save();
    return retained;
  };
  return { clock, storage, repository, lock };
}

/** The end of each version's lock, by key, oldest first. */
async function endsOf({ storage, clock }: Scene): Promise<ReadonlyMap<string, readonly bigint[]>> {
  const ends = new Map<string, bigint[]>();
  for await (const { key, version, deleted } of storage.versions.list('')) {
    const lock = deleted ? undefined : await storage.versions.lockOf(key, version);
    ends.set(key, [(lock?.untilNs ?? 0n) - clock.nowNs(), ...(ends.get(key) ?? [])]);
  }
  return ends;
}

test('what a snapshot needs is locked anew as the end of its locks comes near, and not before', async () => {
  const scene = await lockedScene();
  const first = await scene.lock();
  assert.deepEqual(first, { untilNs: scene.clock.nowNs() + monthNs, extended: 0 });
  scene.clock.advance(2 * dayMs);
  assert.equal((await scene.lock())?.extended, 0);
  scene.clock.advance(2 * dayMs);
  const later = await scene.lock();
  // Config, key, index, snapshot, pack.
  assert.deepEqual(later, { untilNs: scene.clock.nowNs() + monthNs, extended: 5 });
  for (const [key, [end]] of await endsOf(scene)) assert.equal(end, monthNs, key);
});

test('the version that the repository stands on is locked, not what was written over it', async () => {
  const scene = await lockedScene();
  for (const key of (await endsOf(scene)).keys()) await scene.storage.put(key, [Buffer.from('junk')]);
  scene.clock.advance(10 * dayMs);
  assert.equal((await scene.lock())?.extended, 5);
  for (const [key, [own, junk]] of await endsOf(scene)) {
    assert.equal(own, monthNs, key);
    assert.ok(junk !== undefined && junk < monthNs, key);
  }
});

test('ends of locks are remembered beside the cache, so that the next backup asks for none', async () => {
  const scene = await lockedScene();
  await using dir = await tempDir();
  await scene.lock(dir.path);
  const refuse = (): never => assert.fail('asked for what is known');
  Object.assign(scene.storage.versions, { lockOf: refuse, list: refuse });
  assert.equal((await scene.lock(dir.path))?.extended, 0);
});

test('a longer lock is left as it is, and an object without any version is told', async () => {
  const scene = await lockedScene();
  const { versions } = scene.storage;
  const year = { untilNs: scene.clock.nowNs() + 12n * monthNs, mode: 'compliance' } as const;
  for await (const { key, version } of versions.list('')) await versions.lock(key, version, year);
  scene.clock.advance(10 * dayMs);
  assert.equal((await scene.lock())?.extended, 0);
  const { repository, clock } = scene;
  const memory = await lockMemory(undefined, repository, clock);
  const [pack] = [...repository.index.all()].map((blob) => blob.pack);
  assert.ok(pack !== undefined);
  const lost = retain(repository, { snapshots: [pack], packs: [] }, { clock, memory, signal });
  await assert.rejects(lost, { code: 'storage-not-found' });
});

test('locks are read from the storage: the earliest end, and what has none', async () => {
  const scene = await lockedScene();
  const { repository, storage, clock } = scene;
  const packs = [...repository.index.all()].map(({ pack }) => pack);
  const read = async (): ReturnType<typeof readLocks> => await readLocks(repository, { snapshots: [], packs }, signal);
  assert.deepEqual(await read(), { untilNs: clock.nowNs() + monthNs, mode: 'compliance', unlocked: [] });
  const year = { untilNs: clock.nowNs() + 12n * monthNs, mode: 'compliance' } as const;
  for await (const { key, version } of storage.versions.list(''))
    if (key === 'config') await storage.versions.lock(key, version, year);
  const monthEndNs = clock.nowNs() + monthNs;
  assert.equal((await read()).untilNs, monthEndNs);
  clock.advance(monthMs);
  const { untilNs, unlocked } = await read();
  assert.equal(untilNs, year.untilNs);
  assert.deepEqual(
    unlocked.map((key) => key.split('/')[0]).toSorted((a = '', b = '') => a.localeCompare(b)),
    ['data', 'index', 'keys'],
  );
  await assert.rejects(readLocks(await newRepository(), { snapshots: [], packs: [] }, signal), { code: 'unsupported' });
});

test('what one place says of its locks is not taken for those of a mirror, which has the same ID', async () => {
  const { repository, clock } = await lockedScene();
  await using dir = await tempDir();
  const lock = { untilNs: clock.nowNs() + monthNs, mode: 'compliance' } as const;
  const mirror = { config: repository.config, storage: { ...repository.storage, url: 's3:https://elsewhere/mirror' } };
  const [memory, readings] = [
    await lockMemory(dir.path, repository, clock),
    await lockReadings(dir.path, repository, clock),
  ];
  memory.set('config', { ...lock, version: '1' });
  readings.set('a snapshot', { ...lock, readNs: clock.nowNs() });
  for (const one of [memory, readings]) await one.save();
  assert.ok((await lockMemory(dir.path, repository, clock)).get('config'));
  assert.ok((await lockReadings(dir.path, repository, clock)).get('a snapshot'));
  assert.equal((await lockMemory(dir.path, mirror, clock)).get('config'), undefined);
  assert.equal((await lockReadings(dir.path, mirror, clock)).get('a snapshot'), undefined);
});

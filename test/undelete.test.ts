import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { hasCode, HoldfastError } from '../src/errors/error.ts';
import { requestsOf } from '../src/repository/undelete.ts';
import type { VersionedMemoryStorage } from '../src/storage/memory-versions.ts';
import type { Storage } from '../src/storage/storage.ts';
import { isLockable } from '../src/storage/versions.ts';
import { examine, newRepository } from './support/engine.ts';
import { keysOf } from './support/repairing.ts';
import { scene } from './support/scene.ts';
import { replayed, seen, undeleted, victim, type Victim } from './support/theft.ts';
import { prove } from './support/proof.ts';
import { blobBytes, storeBlobs } from './support/repository.ts';

const named = (folder: string, bytes: Uint8Array): string =>
  `${folder}/${createHash('sha256').update(bytes).digest('hex')}`;

async function coverAll(storage: Storage): Promise<void> {
  for (const key of await keysOf(storage, '')) await storage.put(key, [Buffer.from(`junk for ${key}`)]);
}

async function hideAll(storage: Storage): Promise<void> {
  for (const key of await keysOf(storage, '')) await storage.remove(key);
}

/** What is not the repository's, in every place where a client looks. */
async function fill(storage: Storage): Promise<number> {
  const foreign = await newRepository();
  await storeBlobs(foreign, 'data', [blobBytes('foreign', 10_000)]);
  await foreign.writeFile('snapshots', Buffer.from('{}'));
  const keys = (await keysOf(foreign.storage, '')).filter((key) => key !== 'config');
  for (const key of keys) await storage.put(key, [await foreign.storage.get(key)]);
  const junk = ['index', 'snapshots', 'locks', 'keys', 'data/ff', 'data/zz'];
  for (const folder of junk) await storage.put(`${folder}/${'f'.repeat(64)}`, [Buffer.alloc(100)]);
  const lock = Buffer.from('not sealed');
  await storage.put(named('locks', lock), [lock]);
  await storage.put('holdfast/records/a/junk', [Buffer.from('not sealed')]);
  await storage.put('notes/of-somebody', [Buffer.from('left alone')]);
  return keys.length + junk.length + 2;
}

const damages: Readonly<Record<string, (storage: VersionedMemoryStorage) => Promise<unknown>>> = {
  'everything was written over': coverAll,
  'everything was removed': hideAll,
  'everything was written over, removed and the bucket filled': async (storage) => {
    await coverAll(storage);
    await hideAll(storage);
    await fill(storage);
  },
  'everything was removed, put back as junk and removed again': async (storage) => {
    const keys = await keysOf(storage, '');
    await hideAll(storage);
    for (const key of keys) await storage.put(key, [Buffer.from('junk')]);
    await hideAll(storage);
  },
};

async function damaged(inflict: (storage: VersionedMemoryStorage) => Promise<unknown>): Promise<Victim> {
  const one = await victim();
  await inflict(one.storage);
  one.clock.advance(3_600_000);
  return one;
}

for (const [name, inflict] of Object.entries(damages)) {
  test(`${name}: the repository is again what it was, and a second run finds nothing to do`, async () => {
    const healthy = await victim();
    const before = await examine(healthy.storage);
    const content = await seen(healthy.storage);
    await inflict(healthy.storage);
    healthy.clock.advance(3_600_000);
    const all = await Array.fromAsync(healthy.storage.versions.list(''));
    const dry = await undeleted(healthy, 'dry-run');
    assert.deepEqual(await Array.fromAsync(healthy.storage.versions.list('')), all);
    const { plan, done } = await undeleted(healthy);
    assert.deepEqual(dry.plan, plan);
    assert.ok(requestsOf(plan) > 0 && done);
    assert.deepEqual([done.lost, done.refused, plan.lost], [[], [], []]);
    assert.deepEqual(await examine(healthy.storage), { ...before, findings: [] });
    const visible = await seen(healthy.storage);
    assert.deepEqual(new Map([...visible].filter(([key]) => !key.startsWith('notes/'))), content);
    const left = new Set((await Array.fromAsync(healthy.storage.versions.list(''))).map(({ version }) => version));
    for (const { version, deleted } of all) assert.ok(deleted || left.has(version), 'a version is gone');
    assert.equal(requestsOf((await undeleted(healthy)).plan), 0);
  });
}

test('what hides alone is taken away where that is allowed, and else what it hid is stored again', async () => {
  const one = await damaged(hideAll);
  const { storage } = one;
  const { plan } = await undeleted(one, 'dry-run');
  assert.deepEqual([plan.store, plan.hide], [[], []]);
  const allowed = { ...storage.versions };
  const denied = async (): Promise<never> => {
    throw new HoldfastError('storage-denied', 'not allowed');
  };
  Object.assign(storage.versions, { remove: denied });
  const { done } = await undeleted(one);
  assert.deepEqual([done?.uncovered, done?.stored], [0, plan.uncover.length]);
  Object.assign(storage.versions, allowed);
  assert.deepEqual((await examine(storage)).findings, []);
});

test('backups made since stay and are named, what was written over them is set right, and what was filled in is hidden', async () => {
  const one = await victim({ since: 'backup' });
  const before = await examine(one.storage);
  const content = await seen(one.storage);
  assert.equal(before.snapshots.length, 3);
  const filled = await fill(one.storage);
  for (const key of content.keys()) await one.storage.put(key, [Buffer.from('junk')]);
  one.clock.advance(3_600_000);
  const { plan } = await undeleted(one);
  assert.deepEqual([...plan.kept.keys()], before.snapshots.slice(2));
  assert.equal(plan.hide.length, filled);
  assert.deepEqual(plan.hide.filter(({ why }) => why === 'unproven').length, 1);
  assert.deepEqual(await examine(one.storage), { ...before, findings: [] });
  const visible = await seen(one.storage);
  assert.deepEqual(new Map([...visible].filter(([key]) => !key.startsWith('notes/'))), content);
});

test('a snapshot made since and removed since is named and left; a later time brings it back', async () => {
  const one = await victim({ since: 'backup' });
  const before = await examine(one.storage);
  const laterNs = one.clock.nowNs();
  one.clock.advance(1000);
  await hideAll(one.storage);
  const { plan } = await undeleted(one);
  assert.deepEqual(
    plan.leftHidden.filter((key) => key.startsWith('snapshots/')),
    before.snapshots.slice(2).map((id) => `snapshots/${id}`),
  );
  assert.equal(plan.leftHidden.length, 2);
  assert.deepEqual((await examine(one.storage)).snapshots, before.snapshots.slice(0, 2));
  await undeleted({ ...one, timeNs: laterNs });
  assert.deepEqual(await examine(one.storage), before);
});

test('what was removed before the time and put back since goes again', async () => {
  const one = await victim();
  const [key = ''] = await keysOf(one.storage, 'snapshots/');
  const bytes = await one.storage.get(key);
  await one.storage.remove(key);
  one.clock.advance(1000);
  const timeNs = one.clock.nowNs();
  one.clock.advance(1000);
  await one.storage.put(key, [bytes]);
  const { plan } = await undeleted({ ...one, timeNs });
  assert.deepEqual(plan.hide, [{ key, why: 'removed' }]);
  assert.equal((await examine(one.storage)).snapshots.length, 1);
});

test('versions that are gone are named by key, and all else comes back', async () => {
  const one = await victim();
  const [pack = ''] = await keysOf(one.storage, 'data/');
  const [snapshot = ''] = await keysOf(one.storage, 'snapshots/');
  await hideAll(one.storage);
  for (const { key, version } of await Array.fromAsync(one.storage.versions.list('')))
    if (key === pack) await one.storage.versions.remove(key, version);
  const { versions } = one.storage;
  const [hidden, right] = await Array.fromAsync(versions.list(snapshot));
  assert.ok(hidden && right);
  await versions.remove(snapshot, right.version);
  const { plan, done } = await undeleted(one);
  assert.deepEqual(
    plan.lost.map(({ key }) => key),
    [pack],
  );
  assert.deepEqual(done?.lost, []);
  const { snapshots, findings } = await examine(one.storage);
  assert.equal(snapshots.length, 1);
  assert.ok(findings.some((finding) => finding.includes(pack.slice(-64))));
});

test('a version that is not what its name says is lost by name, and is not stored', async () => {
  const one = await victim();
  const junk = named('data/aa', Buffer.from('once'));
  const early = { ...one, timeNs: one.clock.nowNs() };
  await one.storage.put(junk.replace(/data.*/, `data/aa/aa${'0'.repeat(62)}`), [Buffer.from('wrong')]);
  one.clock.advance(1000);
  const timeNs = one.clock.nowNs();
  one.clock.advance(1000);
  await one.storage.put(`data/aa/aa${'0'.repeat(62)}`, [Buffer.from('more')]);
  const { done } = await undeleted({ ...early, timeNs });
  assert.deepEqual(
    done?.lost.map(({ key }) => key),
    [`data/aa/aa${'0'.repeat(62)}`],
  );
});

test('what is stored again is locked as the storage locks', async () => {
  const retention = { ms: 30 * 86_400_000, mode: 'compliance' } as const;
  const one = await victim({ retention });
  await coverAll(one.storage);
  await undeleted(one);
  const { versions } = one.storage;
  for await (const { key, version, latest } of versions.list(''))
    if (latest && isLockable(key)) assert.ok(await versions.lockOf(key, version), key);
});

test('without versions it is unsupported, before the repository there was none, and what is to come is no time', async () => {
  const one = await victim();
  const far = { ...one, timeNs: one.clock.nowNs() + 1_000_000_000n };
  await assert.rejects(undeleted(far), { code: 'usage' });
  await assert.rejects(undeleted({ ...one, timeNs: 1n }), { code: 'no-repository', message: /at that time/ });
  const { versions } = one.storage;
  const list = versions.list.bind(versions);
  Object.assign(versions, {
    list: async function* (...args: Parameters<typeof list>) {
      for await (const version of list(...args)) if (version.latest) yield { ...version, version: 'null' };
    },
    get: async (key: string) => await one.storage.get(key),
  });
  await assert.rejects(undeleted(one), { code: 'unsupported', message: /keeps no old versions/ });
  await assert.rejects(undeleted({ ...one, timeNs: 1n }), { code: 'unsupported' });
});

test('a folder keeps no versions, and a time has to be said', async () => {
  await using on = await scene();
  const folder = await on.run(['repair', 'undelete', '--as-of', '2026-01-01']);
  assert.deepEqual([folder.code, /keeps no old versions/.test(folder.stderr)], [2, true], folder.stderr);
  const timeless = await on.run(['repair', 'undelete']);
  assert.deepEqual([timeless.code, /to which time\?/.test(timeless.stderr)], [2, true], timeless.stderr);
});

/** A way to a storage on which everything fails from the n-th change on; that one is done or not. */
function failing(storage: VersionedMemoryStorage, n: number, last: 'done' | 'undone'): Storage {
  let changes = 0;
  const change = async <T>(task: () => Promise<T>): Promise<T> => {
    changes += 1;
    if (changes > n || (changes === n && last === 'undone')) throw new HoldfastError('internal', 'killed');
    const result = await task();
    if (changes >= n) throw new HoldfastError('internal', 'killed');
    return result;
  };
  const { versions } = storage;
  return {
    url: storage.url,
    capabilities: storage.capabilities,
    get: storage.get.bind(storage),
    stat: storage.stat.bind(storage),
    list: storage.list.bind(storage),
    put: (...args) => change(() => storage.put(...args)),
    remove: (...args) => change(() => storage.remove(...args)),
    versions: { ...versions, remove: (...args) => change(() => versions.remove(...args)) },
    [Symbol.asyncDispose]: async () => undefined,
  };
}

test('a kill at any change of repair undelete costs nothing: a second run does the rest', async (context) => {
  const whole = await victim({ since: 'backup' });
  const before = await examine(whole.storage);
  const versions = await Array.fromAsync(whole.storage.versions.list(''));
  const old = versions.filter(({ latest, modifiedNs }) => latest && modifiedNs <= whole.timeNs).map(({ key }) => key);
  const removed = new Set(old.filter((_, n) => n % 2 === 0));
  for (const key of await keysOf(whole.storage, ''))
    await (removed.has(key) ? whole.storage.remove(key) : whole.storage.put(key, [Buffer.from('junk')]));
  await fill(whole.storage);
  whole.clock.advance(3_600_000);
  const straight = await replayed(whole);
  await undeleted(straight);
  const wanted = await seen(straight.storage);
  let kills = 0;
  for (let n = 1, ended = 'killed'; ended === 'killed'; n += 1) {
    for (const last of ['done', 'undone'] as const) {
      const one = await replayed(whole);
      ended = await undeleted(one, 'execute', failing(one.storage, n, last)).then(
        () => 'whole',
        (error: unknown) => (hasCode(error, 'internal') ? 'killed' : Promise.reject(error)),
      );
      kills += ended === 'killed' ? 1 : 0;
      await undeleted(one);
      assert.deepEqual(await seen(one.storage), wanted);
      assert.deepEqual(await examine(one.storage), before);
    }
  }
  assert.ok(kills > 20);
  prove(context, { claim: 'a kill at any change of repair undelete loses nothing', count: `${kills} kills` });
});

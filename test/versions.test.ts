import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { systemClock } from '../src/clock/clock.ts';
import { asOfView } from '../src/storage/as-of.ts';
import { VersionedMemoryStorage } from '../src/storage/memory-versions.ts';
import { openS3 } from '../src/storage/s3.ts';
import type { Storage } from '../src/storage/storage.ts';
import type { ObjectLock, VersionInfo, Versions } from '../src/storage/versions.ts';
import { withoutGo } from './servers/go-program.ts';
import { s3Servers } from './servers/s3-servers.ts';

const hourNs = 3_600_000_000_000n;

/** Whole seconds, as servers keep them. */
function lockFor(hours: number, mode: ObjectLock['mode'] = 'compliance'): ObjectLock {
  const second = 1_000_000_000n;
  return { untilNs: ((systemClock.nowNs() + BigInt(hours) * hourNs) / second) * second, mode };
}

function versionsOf(storage: Storage): Versions {
  assert.ok(storage.versions);
  return storage.versions;
}

async function allOf(storage: Storage, prefix: string): Promise<readonly VersionInfo[]> {
  return await Array.fromAsync(versionsOf(storage).list(prefix));
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}

async function oldStatesStay(storage: Storage): Promise<void> {
  const versions = versionsOf(storage);
  await storage.put('locks/a', [Buffer.from('first')]);
  await storage.put('locks/a', [Buffer.from('second')]);
  await storage.put('locks/b', [Buffer.from('other')]);
  await storage.remove('locks/a');
  const found = await allOf(storage, 'locks/');
  assert.deepEqual(
    new Set(found.map(({ key, sizeBytes, latest, deleted }) => `${key} ${sizeBytes} ${latest} ${deleted}`)),
    new Set(['locks/a 0 true true', 'locks/a 6 false false', 'locks/a 5 false false', 'locks/b 5 true false']),
  );
  const [marker, second, first] = found.filter(({ key }) => key === 'locks/a');
  assert.ok(marker && second && first);
  assert.equal(text(await versions.get('locks/a', first.version)), 'first');
  assert.equal(text(await versions.get('locks/a', second.version, { range: { offset: 1, length: 2 } })), 'ec');
  assert.equal(await versions.lockOf('locks/a', first.version), undefined);
  await versions.remove('locks/a', marker.version);
  assert.equal(text(await storage.get('locks/a')), 'second');
  await versions.remove('locks/a', second.version);
  assert.equal(text(await storage.get('locks/a')), 'first');
  await assert.rejects(versions.get('locks/a', second.version), { code: 'storage-not-found' });
}

async function locksHold(storage: Storage): Promise<void> {
  const versions = versionsOf(storage);
  const lock = lockFor(1);
  const version = await versions.put('data/ab/locked', [Buffer.from('kept')], lock);
  assert.deepEqual(await versions.lockOf('data/ab/locked', version), lock);
  await assert.rejects(versions.remove('data/ab/locked', version), { code: 'storage-denied', message: /lock/ });
  const longer = lockFor(2);
  await versions.lock('data/ab/locked', version, longer);
  await assert.rejects(versions.lock('data/ab/locked', version, lock), { code: 'storage-denied' });
  assert.deepEqual(await versions.lockOf('data/ab/locked', version), longer);
  await storage.remove('data/ab/locked');
  await storage.put('data/ab/locked', [Buffer.from('covered')]);
  assert.equal(text(await versions.get('data/ab/locked', version)), 'kept');
}

async function earlierViewStands(storage: Storage): Promise<void> {
  const good = Buffer.from('a pack');
  const pack = `data/00/${createHash('sha256').update(good).digest('hex')}`;
  await versionsOf(storage).put('config', [Buffer.from('true')], lockFor(1));
  await storage.put(pack, [good]);
  await storage.put(pack, [Buffer.from('false pack')]);
  await storage.put('config', [Buffer.from('false')]);
  await storage.put('index/earlier', [Buffer.from('removed later')]);
  const covered = await allOf(storage, '');
  const timeNs = covered.reduce((latest, { modifiedNs }) => (modifiedNs > latest ? modifiedNs : latest), 0n);
  while (systemClock.nowNs() < timeNs + 1_100_000_000n) await systemClock.sleep(50);
  await storage.put('index/later', [Buffer.from('later')]);
  await storage.put('config', [Buffer.from('later still')]);
  await storage.remove(pack);
  await storage.remove('index/earlier');
  const view = asOfView(storage, timeNs);
  assert.ok(good.equals(await view.get(pack)));
  assert.equal((await view.stat(pack)).sizeBytes, good.length);
  assert.equal(text(await view.get('config')), 'true');
  const listed = await Array.fromAsync(view.list('index/'));
  assert.deepEqual(
    listed.map(({ key }) => key),
    ['index/earlier'],
  );
  assert.equal(text(await view.get('index/earlier')), 'removed later');
  await assert.rejects(view.get('index/later'), { code: 'storage-not-found' });
  await assert.rejects(view.put('locks/x', []), { code: 'storage-read-only' });
  await assert.rejects(view.remove(pack), { code: 'storage-read-only' });
  await assert.rejects(asOfView(storage, systemClock.nowNs()).get(pack), { code: 'storage-not-found' });
}

const promises = {
  'every state of an object stays, newest first, until it is removed for good': oldStatesStay,
  'a locked version can neither be removed nor unlocked, only locked for longer': locksHold,
  'an earlier time shows what was there then, whatever was written over it since': earlierViewStands,
};

for (const [promise, prove] of Object.entries(promises)) {
  test(`in memory ${promise}`, async () => {
    await prove(new VersionedMemoryStorage(systemClock));
  });
  for (const { name, start } of s3Servers) {
    test(`on ${name} ${promise}`, { skip: withoutGo() }, async () => {
      await using server = await start();
      const options = new Map([['s3.lock', '1h']]);
      const settings = { create: true, environment: server.owner, throttles: {} } as const;
      // Made for locks, then used without locking what is stored by itself.
      await using _maker = await openS3(`${server.endpoint}/bucket/at`, { ...settings, options });
      await using storage = await openS3(`${server.endpoint}/bucket/at`, settings);
      await prove(storage);
    });
  }
}

for (const { name, start } of s3Servers) {
  test(`on ${name} a list of versions over several pages is complete, each once`, { skip: withoutGo() }, async () => {
    await using server = await start();
    const options = new Map([['s3.lock', '1h']]);
    const settings = { create: true, environment: server.owner, throttles: {}, options } as const;
    await using storage = await openS3(`${server.endpoint}/bucket`, settings);
    for (let round = 0; round < 41; round++)
      await Promise.all(Array.from({ length: 25 }, (_, n) => storage.put(`locks/${n}`, [])));
    const found = await allOf(storage, 'locks/');
    assert.equal(found.length, 41 * 25);
    assert.equal(new Set(found.map(({ key, version }) => `${key} ${version}`)).size, found.length);
    const order = found.map(({ key }) => key);
    assert.equal(order.filter((key, n) => key !== order[n - 1]).length, 25);
    const rest = await Array.fromAsync(versionsOf(storage).list('locks/', { after: order[20 * 41 - 1] ?? '' }));
    assert.deepEqual(
      rest.map(({ key, version }) => `${key} ${version}`),
      found.slice(20 * 41).map(({ key, version }) => `${key} ${version}`),
    );
  });
}

import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { ManualClock } from '../clock/manual-clock.ts';
import { HoldfastError } from '../errors/error.ts';
import { silent } from '../events/events.ts';
import { hostName } from '../host/users.ts';
import { tempDir } from '../../test/support/temp-dir.ts';
import { openLocal } from './local.ts';
import { MemoryStorage } from './memory.ts';
import { VersionedMemoryStorage } from './memory-versions.ts';
import type { Storage } from './storage.ts';
import { inTrial, type Trial } from './trial.ts';
import { isOver, newRunName, parseRunName } from './trial/run-name.ts';

const clock = new ManualClock();
const nowSeconds = Number(clock.nowNs() / 1_000_000_000n);
const nobody = 2 ** 22 + 1; // no Linux gives such a PID

async function keysIn(storage: Storage): Promise<readonly string[]> {
  return (await Array.fromAsync(storage.list(''))).map(({ key }) => key).toSorted();
}

async function tryOut(
  storage: Storage,
  body: (trial: Trial) => Promise<unknown>,
  signal = new AbortController().signal,
) {
  return await inTrial(storage, { clock, signal, listener: silent }, body);
}

test('the name of a run tells who runs, since when', () => {
  const run = parseRunName(newRunName(clock.nowNs()));
  assert.ok(run);
  assert.deepEqual([run.startSeconds, run.pid], [nowSeconds, process.pid]);
  assert.equal(isOver(run, clock.nowNs()), false);
});

test('any other name is none of a run', () => {
  fc.assert(
    fc.property(fc.string(), (name) => {
      const run = parseRunName(name);
      assert.ok(run === undefined || /^\d+\.\d+\.[0-9a-f]{8}\./.test(name));
    }),
    { numRuns: 500 },
  );
});

test('what dead runs left is removed: on this host at once, of another host after a day; live runs keep theirs', async () => {
  const day = 24 * 3600;
  const run = (startSeconds: number, pid: number, host: string): string =>
    `holdfast/conformance/${startSeconds}.${pid}.01234567.${host}/`;
  const here = hostName().replaceAll(/[^A-Za-z0-9._-]/g, '_');
  const dead = [
    run(nowSeconds - 5, nobody, here),
    run(nowSeconds - day - 1, 5, 'other'),
    run(nowSeconds + 2 * day, 5, 'x'),
  ];
  const alive = [run(nowSeconds - 5, process.pid, here), run(nowSeconds - day + 60, nobody, 'other')];
  const storage = new MemoryStorage();
  const strange = ['holdfast/conformance/strange/object', 'holdfast/records/a', 'config'];
  for (const prefix of [...dead, ...alive])
    for (const name of ['running', '7/object']) await storage.put(prefix + name, [Buffer.from('x')]);
  for (const key of strange) await storage.put(key, [Buffer.from('x')]);
  await tryOut(storage, async () => undefined);
  const kept = alive.flatMap((prefix) => [`${prefix}7/object`, `${prefix}running`]);
  assert.deepEqual(await keysIn(storage), [...strange, ...kept].toSorted());
});

test('a run that fails or is stopped leaves nothing, and what it still does comes to an end', async () => {
  const storage = new MemoryStorage();
  const stop = new AbortController();
  const fill = async ({ storage: bound, place }: Trial): Promise<void> => {
    const { key } = place('0');
    for (let n = 0; ; n++) {
      await bound.put(key(String(n), Buffer.from('x')), [Buffer.from('x')]);
      if (n === 20) stop.abort(new Error('stopped'));
    }
  };
  await assert.rejects(tryOut(storage, fill, stop.signal), /stopped/);
  assert.deepEqual(await keysIn(storage), []);
  const fail = async ({ storage: bound, place }: Trial): Promise<void> => {
    await bound.put(place('0').key('a', Buffer.from('x')), [Buffer.from('x')]);
    throw new Error('failed');
  };
  await assert.rejects(tryOut(storage, fail), /failed/);
  assert.deepEqual(await keysIn(storage), []);
});

test('where versions are kept, they and the markers are removed too, also those of dead runs', async () => {
  const storage = new VersionedMemoryStorage(clock);
  const dead = `holdfast/conformance/${nowSeconds}.${nobody}.01234567.${hostName().replaceAll(/[^A-Za-z0-9._-]/g, '_')}/`;
  await storage.put(`${dead}0/hidden`, [Buffer.from('x')]);
  await storage.remove(`${dead}0/hidden`);
  const { remains } = await tryOut(storage, async ({ storage: bound, place }) => {
    const here = place('0');
    for (const name of ['a', 'a', 'b']) await bound.put(here.key(name, Buffer.from('x')), [Buffer.from('x')]);
    await bound.remove(here.key('b', Buffer.from('x')));
  });
  assert.deepEqual(remains, { left: [], versions: 0 });
  assert.deepEqual(await Array.fromAsync(storage.versions.list('')), []);
});

test('versions that may not be removed are counted, and why', async () => {
  const storage = new VersionedMemoryStorage(clock);
  const { remains } = await tryOut(storage, async ({ place }) => {
    const lock = { mode: 'compliance', untilNs: clock.nowNs() + 3_600_000_000_000n } as const;
    await storage.versions.put(place('0').key('a', Buffer.from('x')), [Buffer.from('x')], lock);
  });
  assert.equal(remains.versions, 2); // the version, and the marker that hides it now
  assert.match(String(remains.refusal), /lock/);
  assert.deepEqual(remains.left, []);
});

test('who may not ask for uploads in the making learns all the same what was tried', async () => {
  const refusal = new HoldfastError('storage-denied', 'AccessDenied');
  const storage = Object.assign(new MemoryStorage(), { removeLeftovers: () => Promise.reject(refusal) });
  const { outcome, remains } = await tryOut(storage, async () => 'tried');
  assert.deepEqual([outcome, remains], ['tried', { left: [], versions: 0, refusal }]);
  assert.deepEqual(await keysIn(storage), []);
});

test('a file in the making that a run left before its marker was there goes after a day', async () => {
  await using dir = await tempDir();
  const storage = await openLocal(dir.path);
  const [old, young] = ['old', 'young'].map((name) => dir.file('holdfast/conformance', name, '~holdfast-left'));
  assert.ok(old !== undefined && young !== undefined);
  for (const path of [old, young]) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, 'x');
  }
  const day = 24 * 3600;
  utimesSync(old, nowSeconds - day - 60, nowSeconds - day - 60);
  utimesSync(young, nowSeconds - day + 60, nowSeconds - day + 60);
  await tryOut(storage, async () => undefined);
  assert.deepEqual(readdirSync(dir.file('holdfast/conformance')), ['young']);
});

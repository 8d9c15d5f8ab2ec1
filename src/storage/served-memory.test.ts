import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertConforms, needsOwnNames, needsStaging } from '../../test/support/conformance.ts';
import type { Image } from './memory.ts';
import { CutStorage, cutAt, storageAt, type CutPoint } from './powercut.ts';
import {
  appendOnlyRestSemantics,
  bareSftpSemantics,
  restSemantics,
  s3Semantics,
  sftpSemantics,
  type Semantics,
} from './semantics.ts';
import type { Storage } from './storage.ts';

const bytes = new Uint8Array([1, 2, 3, 4]);
/** The SHA-256 of `bytes`. */
const hash = '9f64a747e1b97f131fabb6b447296c9b6f0201e79fb3c5356e6c77e89b6a806a';
const snapshot = `snapshots/${hash}`;

for (const semantics of [s3Semantics, sftpSemantics, bareSftpSemantics, restSemantics]) {
  test(`what takes and refuses as ${semantics.name} does keeps the contract, as the driver does`, async () => {
    const atomic = semantics.capabilities.conditionalCreate
      ? []
      : ['of many that create one object at once, exactly one succeeds'];
    await assertConforms(
      storageAt({ image: new Map(), semantics }),
      semantics.capabilities.ownPrefixes ? [needsStaging, ...atomic] : needsOwnNames,
    );
  });
}

test('a REST server holds restic’s names, each once, and only what has the hash that is its name', async () => {
  const storage = storageAt({ image: new Map(), semantics: restSemantics });
  await storage.put(snapshot, [bytes]);
  await storage.put(snapshot, [bytes]);
  await assert.rejects(storage.put(snapshot, [bytes, bytes]), { code: 'storage-exists' });
  await assert.rejects(storage.put(`index/${hash}`, [bytes, bytes]), { code: 'storage-failed' });
  await assert.rejects(storage.put('holdfast/prune/1', [bytes]), { code: 'unsupported' });
  await storage.put('config', [bytes]);
  await assert.rejects(storage.put('config', [bytes, bytes]), { code: 'storage-exists' });
});

test('from an append-only server nothing but locks can be removed', async () => {
  const image: Image = new Map([snapshot, `locks/${hash}`].map((key) => [key, bytes]));
  const storage = storageAt({ image, semantics: appendOnlyRestSemantics });
  await assert.rejects(storage.remove(snapshot), { code: 'storage-denied' });
  await storage.remove(`locks/${hash}`);
});

/** All that may be left of two changes, the first of them confirmed, once the server has lost its power. */
async function leftovers(
  start: { readonly image: Image; readonly semantics: Semantics },
  program: (storage: Storage) => Promise<void>,
  point: CutPoint,
): Promise<ReadonlySet<string>> {
  const { afterPowerLoss } = await cutAt(start, point, program);
  const seen = new Set<string>();
  for (let seed = 1; seed <= 200; seed++) {
    const { durable } = afterPowerLoss(seed);
    seen.add(
      [...durable]
        .map(([key, { length }]) => `${key.slice(0, 9)} ${length}`)
        .toSorted()
        .join(', '),
    );
  }
  return seen;
}

test('a server that loses its power keeps what it has forced to disk, and of the rest anything', async () => {
  const image: Image = new Map([[`index/${hash}`, bytes]]);
  const program = async (storage: Storage): Promise<void> => {
    await storage.put(snapshot, [bytes]);
    await storage.remove(`index/${hash}`);
    await Array.fromAsync(storage.list(''));
  };
  const point = { operation: 3, mode: 'before' } as const;
  const left = async (semantics: Semantics): Promise<readonly string[]> =>
    [...(await leftovers({ image, semantics }, program, point))].toSorted();
  const done = ['snapshots 4'];
  assert.deepEqual(await left(s3Semantics), done);
  assert.deepEqual(await left(sftpSemantics), done);
  assert.deepEqual(await left(restSemantics), ['index/9f6 4, snapshots 4', 'snapshots 4']);
  const any = ['', 'snapshots 0', 'snapshots 2', 'snapshots 4'];
  const kept = any.map((one) => ['index/9f6 4', one].filter((part) => part !== '').join(', '));
  assert.deepEqual(await left(bareSftpSemantics), [...any, ...kept].toSorted());
});

test('a config that a client died over may be short behind a REST server, and nowhere else', async () => {
  const put = async (storage: Storage): Promise<void> => await storage.put('config', [bytes]);
  const sizes = async (semantics: Semantics): Promise<ReadonlySet<number | undefined>> => {
    const { survivors } = await cutAt({ image: new Map(), semantics }, { operation: 1, mode: 'during' }, put);
    const seeds = Array.from({ length: 100 }, (_, seed) => seed);
    return new Set(seeds.map((seed) => survivors({ seed }).durable.get('config')?.length));
  };
  assert.deepEqual(await sizes(restSemantics), new Set([0, 2, 4, undefined]));
  assert.deepEqual(await sizes(s3Semantics), new Set([4, undefined]));
});

test('what the server refuses has no effect, whatever becomes of the client', async () => {
  const start = { image: new Map([[snapshot, bytes]]), semantics: appendOnlyRestSemantics };
  const storage = new CutStorage(start, { operation: 1, mode: 'during' });
  await assert.rejects(storage.remove(snapshot));
  assert.deepEqual(storage.underWay, []);
  assert.deepEqual([...storage.survivors('kept').durable.keys()], [snapshot]);
});

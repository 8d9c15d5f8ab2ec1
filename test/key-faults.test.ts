import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addKey, changePassword } from '../src/job/keys.ts';
import { FaultyStorage, type Fault, type Operation } from '../src/storage/fault.ts';
import { MemoryStorage } from '../src/storage/memory.ts';
import { storageAt } from '../src/storage/powercut.ts';
import { appendOnlyRestSemantics, s3Semantics, type Semantics } from '../src/storage/semantics.ts';
import { cheapKey, jobContext, newRepository } from './support/engine.ts';
import { keysOf } from './support/leaving.ts';

const another = { ...cheapKey, password: 'another' };

/** A repository whose storage fails to read keys that come later. */
async function unreadableLater(semantics: Semantics, fault: Fault) {
  const image = new MemoryStorage();
  await newRepository(image);
  const storage = storageAt({ image: image.durable, semantics });
  const [old] = await keysOf(storage, 'keys/');
  const faultFor = ({ kind, key }: Operation): Fault | undefined =>
    kind === 'get' && key.startsWith('keys/') && key !== old ? fault : undefined;
  return { storage, old, context: jobContext(new FaultyStorage(storage, { faultFor })) };
}

for (const [fault, code] of [
  ['error', 'storage-failed'],
  ['flip', 'damaged'],
] as const) {
  test(`a new key that can’t be read back (${fault}) is taken back, the old one stays, and the storage is blamed`, async () => {
    for (const change of [addKey, changePassword]) {
      const { storage, old, context } = await unreadableLater(s3Semantics, fault);
      await assert.rejects(
        change(context, async () => another),
        { code, message: /does not open: .*; it was removed again/s },
      );
      assert.deepEqual(await keysOf(storage, 'keys/'), [old]);
    }
  });
}

test('a new key that can neither be read back nor removed is told', async () => {
  const { storage, old, context } = await unreadableLater(appendOnlyRestSemantics, 'error');
  const code = 'storage-failed';
  await assert.rejects(
    addKey(context, async () => another),
    { code, message: /nor can it be removed again/ },
  );
  assert.equal((await keysOf(storage, 'keys/')).length, 2);
  assert.ok((await keysOf(storage, 'keys/')).includes(old ?? ''));
});

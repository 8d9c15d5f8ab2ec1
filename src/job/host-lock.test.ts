import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tempDir } from '../../test/support/temp-dir.ts';
import { hostLock } from './host-lock.ts';

test('of many who ask at once one has the lock of a host; who gave it back has it no more', async () => {
  await using dir = await tempDir();
  const path = dir.file('locks/shop-r');
  for (let round = 0; round < 3; round += 1) {
    const asked = await Promise.all(Array.from({ length: 8 }, () => hostLock(path)));
    const [lock, ...others] = asked.filter((one) => 'assertHeld' in one);
    assert.deepEqual(others, []);
    assert.ok(lock !== undefined);
    assert.deepEqual(await hostLock(path), { by: 'another process of this host', state: 'running' });
    await lock[Symbol.asyncDispose]();
  }
});

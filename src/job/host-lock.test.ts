import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { tempDir } from '../../test/support/temp-dir.ts';
import { hostLock } from './host-lock.ts';

test('one process has the lock of a host; one that is gone has lost it', async () => {
  await using dir = await tempDir();
  const path = dir.file('locks/shop-r');
  {
    await using lock = await hostLock(path).then((one) => ('assertHeld' in one ? one : assert.fail()));
    await lock.assertHeld();
    assert.deepEqual(await hostLock(path), { by: `process ${process.pid} of this host`, state: 'running' });
  }
  assert.deepEqual(await readdir(dir.file('locks')), []);
  await mkdir(dir.file('others'));
  await writeFile(dir.file('others/shop-r'), '4000000');
  assert.ok('assertHeld' in (await hostLock(dir.file('others/shop-r'))));
});

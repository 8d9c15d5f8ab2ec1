import assert from 'node:assert/strict';
import { open } from 'node:fs/promises';
import { test } from 'node:test';
import { notingSyncs } from '../../test/support/noting-syncs.ts';
import { tempDir } from '../../test/support/temp-dir.ts';
import { makeLasting, syncFolder } from './lasting.ts';

test('a file system that can sync no folder is served as it is, and any other failure is told', async () => {
  await assert.rejects(
    async () => {
      await using folder = await open('/proc', 'r');
      await folder.sync();
    },
    { code: 'EINVAL' },
    'as procfs is one',
  );
  await syncFolder('/proc');
  await using dir = await tempDir();
  await assert.rejects(syncFolder(dir.file('none')), { code: 'ENOENT' });
});

test('the folders that were made are made to last, each in its parent, and those that were there are left alone', async (t) => {
  await using dir = await tempDir();
  const syncs = await notingSyncs(t);
  await makeLasting(dir.file('a/b/c'), 0o700);
  assert.equal(syncs(), 3);
  await makeLasting(dir.file('a/b/c'), 0o700);
  assert.equal(syncs(), 3);
  await makeLasting(`${dir.file('a/b')}/d/`, 0o700);
  assert.equal(syncs(), 4);
});

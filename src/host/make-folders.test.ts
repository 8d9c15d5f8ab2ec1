import assert from 'node:assert/strict';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { tempDir } from '../../test/support/temp-dir.ts';
import { rawPathOf } from '../bytes/ids.ts';
import { makeFolders } from './make-folders.ts';

test('a folder is made with its parents, and one that is there is left alone', async () => {
  await using dir = await tempDir();
  for (let round = 0; round < 2; round += 1) makeFolders(rawPathOf(dir.file('a/b/c/')), 0o700);
  assert.equal(statSync(dir.file('a/b/c')).mode & 0o777, 0o700);
});

test('where none can be made, the system’s refusal is told at once', async () => {
  await using dir = await tempDir();
  writeFileSync(dir.file('file'), '');
  assert.throws(() => makeFolders(rawPathOf(dir.file('file')), 0o700), { code: 'EEXIST' });
  assert.throws(() => makeFolders(rawPathOf(dir.file('file/below')), 0o700), { code: 'ENOTDIR' });
  if (existsSync('/proc/self'))
    assert.throws(() => makeFolders(rawPathOf('/proc/self/new/deep'), 0o700), { code: 'ENOENT' });
});

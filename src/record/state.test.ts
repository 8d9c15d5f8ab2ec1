import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { notingSyncs } from '../../test/support/noting-syncs.ts';
import { tempDir } from '../../test/support/temp-dir.ts';
import { ensure, rememberIn } from './state.ts';

test('what is remembered lasts under its name: the file is synced, and the folders that name it', async (t) => {
  await using dir = await tempDir();
  const syncs = await notingSyncs(t);
  await rememberIn({ folder: dir.path }, 'outbox/a.json', 'a');
  assert.equal(syncs(), 3, 'the file, its folder, and where that was made');
  await rememberIn({ folder: dir.path }, 'outbox/a.json', 'b');
  assert.equal(syncs(), 5);
  assert.equal(await readFile(dir.file('outbox/a.json'), 'utf8'), 'b');
  await ensure(dir.file('writer'), () => 'me');
  assert.equal(syncs(), 7);
  assert.equal(await ensure(dir.file('writer'), () => 'another'), 'me');
  assert.equal(syncs(), 7);
});

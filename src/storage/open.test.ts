import assert from 'node:assert/strict';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { openStorage } from './open.ts';

test('a path, a relative path and local: open the same folder', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-open-'));
  try {
    for (const url of [folder, `local:${folder}`, relative('.', folder), `local:${relative('.', folder)}`]) {
      assert.equal((await openStorage(url)).url, folder);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a missing folder is told so and never made, except on demand', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-open-'));
  try {
    const missing = join(folder, 'a', 'b');
    await assert.rejects(openStorage(missing), { code: 'storage-missing' });
    await assert.rejects(stat(join(folder, 'a')), { code: 'ENOENT' });
    await openStorage(missing, { create: true });
    assert.equal((await stat(missing)).mode & 0o777, 0o700);
    assert.equal((await openStorage(missing, { create: true })).url, missing);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('schemes of other storages are refused by name, unknown ones as usage', async () => {
  for (const url of ['azure:c:/', 'gs:b:/', 'b2:b', 'swift:c:/']) {
    await assert.rejects(openStorage(url), {
      code: 'unsupported',
      message: new RegExp(url.slice(0, url.indexOf(':'))),
    });
  }
  for (const url of ['ftp:x', 'memory:', 'C:folder', '', 'local:', 's3:https://host'])
    await assert.rejects(openStorage(url), { code: 'usage' });
});

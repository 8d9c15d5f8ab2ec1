import assert from 'node:assert/strict';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { archiveFolder, newRepository } from '../../test/support/engine.ts';
import { tempDir } from '../../test/support/temp-dir.ts';
import { rawPathOf } from '../bytes/ids.ts';
import { hasCode } from '../errors/error.ts';
import { parentFiles } from './parent-files.ts';

test('files of the parent are found in whatever order, with their chunks while these are there, and read', async () => {
  await using dir = await tempDir();
  const large = Buffer.alloc(9 * 2 ** 20, 'row\n');
  mkdirSync(dir.file('base'));
  for (const name of ['1', '2', '3']) writeFileSync(dir.file('base', name), `file ${name}`);
  writeFileSync(dir.file('large'), large);
  await using repository = await newRepository();
  const files = parentFiles(repository, await archiveFolder(repository, dir.path));
  for (const name of ['base/3', 'base/1', 'base/2', 'large', 'base/2']) {
    const found = await files.find(rawPathOf(name));
    const stat = statSync(dir.file(name), { bigint: true });
    assert.deepEqual([found?.sizeBytes, found?.mtimeNs, found?.inode], [Number(stat.size), stat.mtimeNs, stat.ino]);
    assert.equal(found?.cutBytes, name === 'large' ? 8 * 2 ** 20 : undefined);
    assert.ok(found?.ids !== undefined && found.ids.length > 0);
  }
  for (const name of ['base/4', 'base', 'none/1', '']) assert.equal(await files.find(rawPathOf(name)), undefined);
  const pieces = await Array.fromAsync(files.read(rawPathOf('large')));
  assert.deepEqual(Buffer.concat(pieces), large);
  await assert.rejects(Array.fromAsync(files.read(rawPathOf('base'))), (error) => hasCode(error, 'path-not-found'));
});

test('chunks that the index does not have any more are not offered', async () => {
  await using dir = await tempDir();
  writeFileSync(dir.file('file'), 'content');
  await using repository = await newRepository();
  const root = await archiveFolder(repository, dir.path);
  const emptied = {
    ...repository,
    readBlob: repository.readBlob.bind(repository),
    index: (await newRepository()).index,
  };
  const found = await parentFiles(emptied, root).find(rawPathOf('file'));
  assert.deepEqual([found?.sizeBytes, found?.ids], [7, undefined]);
});

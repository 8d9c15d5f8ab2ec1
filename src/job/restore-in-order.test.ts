import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { backupFolder, jobContext, newRepository } from '../../test/support/engine.ts';
import { tempDir, type TempDir } from '../../test/support/temp-dir.ts';
import { rawPathOf } from '../bytes/ids.ts';
import { selectAll, type RestoreOutcome } from '../snapshot/restore.ts';
import { anySnapshot } from '../snapshot/snapshots.ts';
import { FaultyStorage } from '../storage/fault.ts';
import { MemoryStorage } from '../storage/memory.ts';
import type { Storage } from '../storage/storage.ts';
import type { RestoreToFolderOptions } from './restore.ts';
import { restoreInOrder } from './restore-in-order.ts';

async function inOrder(dir: TempDir, storage: Storage, ready: () => Promise<void>): Promise<RestoreOutcome> {
  const given: RestoreToFolderOptions = {
    name: 'latest',
    find: { filter: anySnapshot, now: Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO('UTC') },
    target: rawPathOf(dir.file('target')),
    restore: {
      ...{ overwrite: 'always', select: selectAll, extras: 'keep', mode: 'write', holes: 'dense', verify: 'no' },
      selectXattr: 'all',
    },
  };
  return await restoreInOrder(jobContext(storage), given, {
    last: rawPathOf(`${dir.file('data')}/control`.slice(1)),
    ready,
  });
}

test('what is restored last comes when all else is there, out of a repository whose index is read once', async () => {
  await using dir = await tempDir();
  const reads: string[] = [];
  const storage = new FaultyStorage(new MemoryStorage(), {
    faultFor: ({ kind, key }) => void (kind === 'get' && reads.push(key.split('/')[0] ?? '')),
  });
  await newRepository(storage);
  mkdirSync(dir.file('data'));
  for (const name of ['a', 'control', 'z']) writeFileSync(dir.file(`data/${name}`), `this is ${name}`);
  await backupFolder(jobContext(storage), dir.file('data'));
  reads.length = 0;
  const inside = (name: string): string => dir.file(`target${dir.file('data')}/${name}`);
  let between = '';
  const outcome = await inOrder(
    dir,
    storage,
    async () => void (between = ['a', 'control', 'z'].filter((name) => existsSync(inside(name))).join(' ')),
  );
  assert.equal(between, 'a z');
  assert.equal(readFileSync(inside('control'), 'utf8'), 'this is control');
  assert.equal(outcome.failures, 0);
  assert.deepEqual(
    reads.filter((kind) => kind === 'index' || kind === 'snapshots'),
    ['snapshots', 'index'],
  );
});

test('what is restored last is a file, or nothing: a link in place of it is not left there', async () => {
  await using dir = await tempDir();
  const storage = new MemoryStorage();
  await newRepository(storage);
  mkdirSync(dir.file('data'));
  writeFileSync(dir.file('of production'), 'control');
  symlinkSync(dir.file('of production'), dir.file('data/control'));
  await backupFolder(jobContext(storage), dir.file('data'));
  await assert.rejects(
    inOrder(dir, storage, async () => undefined),
    { code: 'damaged', message: /is no file in this backup/ },
  );
  assert.deepEqual(readdirSync(dir.file(`target${dir.file('data')}`)), []);
  assert.equal(readFileSync(dir.file('of production'), 'utf8'), 'control');
});

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { backupFolder, jobContext, newRepository } from '../../test/support/engine.ts';
import { tempDir } from '../../test/support/temp-dir.ts';
import { rawPathOf } from '../bytes/ids.ts';
import { selectAll } from '../snapshot/restore.ts';
import { anySnapshot } from '../snapshot/snapshots.ts';
import { FaultyStorage } from '../storage/fault.ts';
import { MemoryStorage } from '../storage/memory.ts';
import { restoreInOrder } from './restore-in-order.ts';

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
  const outcome = await restoreInOrder(
    jobContext(storage),
    {
      name: 'latest',
      find: { filter: anySnapshot, now: Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO('UTC') },
      target: rawPathOf(dir.file('target')),
      restore: {
        ...{ overwrite: 'always', select: selectAll, extras: 'keep', mode: 'write', holes: 'dense', verify: 'no' },
        selectXattr: 'all',
      },
    },
    {
      last: rawPathOf(`${dir.file('data')}/control`.slice(1)),
      ready: async () => void (between = ['a', 'control', 'z'].filter((name) => existsSync(inside(name))).join(' ')),
    },
  );
  assert.equal(between, 'a z');
  assert.equal(readFileSync(inside('control'), 'utf8'), 'this is control');
  assert.equal(outcome.failures, 0);
  assert.deepEqual(
    reads.filter((kind) => kind === 'index' || kind === 'snapshots'),
    ['snapshots', 'index'],
  );
});

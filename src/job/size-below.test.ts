import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { shopContext } from '../../test/support/component-context.ts';
import { archiveFolder } from '../../test/support/engine.ts';
import { newRepository } from '../../test/support/repository.ts';
import { tempDir } from '../../test/support/temp-dir.ts';
import { MovableClock } from '../../test/support/movable-clock.ts';
import { MemoryStorage } from '../storage/memory.ts';
import { saveSnapshot } from '../snapshot/snapshots.ts';
import { sizeBelow } from './find-replacement.ts';
import { listPoints } from './points.ts';

test('what a restore of a part of a point writes is known before, and nothing is written', async () => {
  await using dir = await tempDir();
  await mkdir(dir.file('data/pg_tblspc/16400/PG_15'), { recursive: true });
  await mkdir(dir.file('data/pg_tblspc/164'));
  for (const [path, size] of [
    ['pg_tblspc/16400/PG_15/1', 8192],
    ['pg_tblspc/16400/2', 100],
    ['pg_tblspc/164/3', 7],
    ['4', 5],
  ] as const)
    await writeFile(dir.file('data', path), Buffer.alloc(size, 1));
  const storage = new MemoryStorage();
  const repository = await newRepository(storage);
  const tree = await archiveFolder(repository, dir.path);
  const tags = ['hf.component=shop-db', 'hf.rule=full'];
  const maker = { hostname: 'here', username: 'ann', uid: 0, gid: 0, programVersion: 'test' };
  const time = '2026-11-20T12:00:00Z';
  await saveSnapshot(repository, { ...maker, time, tree, paths: ['/shop-db'], tags, excludes: [], others: {} });
  const context = shopContext({ storage, clock: new MovableClock(), stateFolder: dir.file('state') });
  const { points } = await listPoints(context, ['shop-db']);
  const [point = assert.fail()] = points;
  const written = async (): Promise<readonly string[]> => [
    ...storage.durable.keys(),
    ...(await readdir(dir.path, { recursive: true })),
  ];
  const before = await written();
  assert.equal(await sizeBelow(context, point, 'data/pg_tblspc/16400'), 8292);
  assert.equal(await sizeBelow(context, point, 'data'), 8304);
  assert.deepEqual(await written(), before);
});

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { tempDir, type TempDir } from '../../../test/support/temp-dir.ts';
import { clearOver, extentIn, isBegun, overStateOf, writeExtent, type OverState } from './half-over.ts';
import { haveOwnRoot } from './own-root.ts';

interface Place {
  readonly root: string;
  readonly live: string;
  readonly state: () => OverState;
}

async function halfOver(dir: TempDir): Promise<Place> {
  const places = { root: dir.file('root'), live: dir.file('data') };
  for (const folder of ['root', 'data']) await mkdir(dir.file(folder), { recursive: true });
  await writeExtent(places, { parts: [{ from: '', to: places.live }], keeps: ['pg_hba.conf'] });
  return { ...places, state: () => overStateOf(places, { isWhole: (place) => existsSync(join(place, 'whole')) }) };
}

test('a place is half over until a whole cluster stands there', async () => {
  await using dir = await tempDir();
  const { live, state } = await halfOver(dir);
  assert.equal(state(), 'half over');
  await writeFile(join(live, 'whole'), '');
  assert.equal(state(), 'ended');
});

test('another folder that was moved to the place is not half over, whatever it holds', async () => {
  await using dir = await tempDir();
  const { live, state } = await halfOver(dir);
  await rename(live, dir.file('before'));
  assert.equal(state(), 'ended', 'nothing stands there');
  await mkdir(live);
  assert.equal(state(), 'ended');
  await rm(live, { recursive: true });
  await rename(dir.file('before'), live);
  assert.equal(state(), 'half over');
});

test('what is noted of a place that has ended is cleared without ever calling it half over', async () => {
  await using dir = await tempDir();
  const { root, state } = await halfOver(dir);
  await writeFile(join(root, 'replayed'), 'a hash');
  const own = { root, live: dir.file('data') };
  assert.equal(extentIn(own)?.keeps[0], 'pg_hba.conf');
  await mkdir(join(root, 'taken'));
  await assert.rejects(clearOver(own), 'it is stopped before it removes anything');
  assert.equal(isBegun(own), true);
  await rm(join(root, 'taken'), { recursive: true });
  await writeFile(join(root, 'taken'), '');
  await rm(join(root, 'extent'));
  assert.equal(state(), 'ended', 'a kill in it');
  await clearOver(own);
  assert.equal(existsSync(root), false);
  await clearOver(own);
  assert.deepEqual(await readdir(dirname(root)), ['data']);
});

test('what is noted in a folder that somebody else can write to, or that a link leads to, is not believed', async () => {
  const isRoot = process.getuid?.() === 0;
  const forgeries: readonly ((root: string, dir: TempDir) => Promise<void>)[] = [
    async (root) => await chmod(root, 0o757),
    async (root) => await chmod(root, 0o775),
    async (root, dir) => {
      await rename(root, dir.file('forged'));
      await symlink(dir.file('forged'), root);
    },
    ...(isRoot ? [async (root: string): Promise<void> => await chown(root, 65534, 65534)] : []),
  ];
  for (const forge of forgeries) {
    await using dir = await tempDir();
    const { root, state } = await halfOver(dir);
    assert.equal(state(), 'half over');
    await forge(root, dir);
    assert.throws(state, { code: 'refused', message: /nothing in it is believed/ });
    assert.throws(() => isBegun({ root }), { code: 'refused' });
    assert.throws(() => extentIn({ root }), { code: 'refused' });
    assert.throws(() => haveOwnRoot(root), { code: 'refused' });
    await assert.rejects(clearOver({ root }), { code: 'refused' });
    assert.equal(existsSync(join(root, 'extent')), true);
  }
});

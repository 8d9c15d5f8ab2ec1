import assert from 'node:assert/strict';
import { chown, lstat, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { absent } from '../../../test/absences.ts';
import { tempDir } from '../../../test/support/temp-dir.ts';
import { lockFile } from '../../host/file-lock.ts';
import { Spool } from './archive/spool.ts';
import { wipeSpool } from './wipe-spool.ts';

test('the spool of one component is emptied, and no other', async () => {
  await using dir = await tempDir();
  const spool = dir.file('spool/shop-db');
  await mkdir(`${spool}/7312/fetched`, { recursive: true });
  await mkdir(dir.file('spool/other-db'));
  for (const name of ['7312/000000010000000000000001.ok', '7312/fetched/000000010000000000000002', 'worker.lock'])
    await writeFile(`${spool}/${name}`, '');
  await writeFile(dir.file('spool/other-db/a.ok'), '');
  assert.deepEqual(wipeSpool(dir.path, 'shop-db'), { removed: 2, left: [] });
  assert.deepEqual(await readdir(`${spool}/7312`), ['fetched']);
  assert.deepEqual(await readdir(`${spool}/7312/fetched`), []);
  assert.deepEqual(await readdir(spool), ['7312', 'worker.lock']);
  assert.deepEqual(await readdir(dir.file('spool/other-db')), ['a.ok']);
  assert.deepEqual(wipeSpool(dir.path, 'never-db'), { removed: 0, left: [] });
});

test('what is still to be said of the log, or filled in a place, stays', async () => {
  await using dir = await tempDir();
  const spool = new Spool(dir.path, 'shop-db', '7312');
  await spool.make();
  await spool.notes.addGaps([{ epoch: 1, from: 1n, to: 2n, takenIn: ['far'] }]);
  await spool.notes.addNew('near');
  const notes = await readdir(dir.file('spool/shop-db/7312'));
  await spool.mark('000000010000000000000001', { id: 'one', atMs: 1 });
  assert.deepEqual(wipeSpool(dir.path, 'shop-db'), { removed: 1, left: [] });
  assert.deepEqual(await readdir(dir.file('spool/shop-db/7312')), notes);
});

test('where another’s log stood for one data directory is forgotten: to the next it may be its own', async () => {
  await using dir = await tempDir();
  const spool = new Spool(dir.path, 'shop-db', '7312');
  await spool.make();
  const { notes } = spool;
  await notes.addTaken({ epoch: 1, from: 1n }, 'near');
  assert.deepEqual(wipeSpool(dir.path, 'shop-db'), { removed: 1, left: [] });
  assert.deepEqual(notes.takenIn('near'), []);
});

test('nothing is wiped while a worker is at work', async () => {
  await using dir = await tempDir();
  await mkdir(dir.file('spool/shop-db'), { recursive: true });
  await writeFile(dir.file('spool/shop-db/a.ok'), '');
  {
    const lock = lockFile(dir.file('spool/shop-db/worker.lock'));
    assert.ok(typeof lock === 'object');
    using _held = lock;
    assert.throws(() => wipeSpool(dir.path, 'shop-db'), {
      code: 'locked',
      message: /shop-db: a worker is storing its log/,
    });
    assert.ok((await lstat(dir.file('spool/shop-db/a.ok'))).isFile());
  }
  assert.deepEqual(wipeSpool(dir.path, 'shop-db'), { removed: 1, left: [] });
});

test('no link is followed, be it a file, a folder, or the spool itself', async () => {
  await using dir = await tempDir();
  await mkdir(dir.file('precious'));
  await writeFile(dir.file('precious/file'), 'kept');
  await mkdir(dir.file('spool/shop-db'), { recursive: true });
  await symlink(dir.file('precious'), dir.file('spool/shop-db/7312'));
  await symlink(dir.file('precious/file'), dir.file('spool/shop-db/a.ok'));
  const { removed, left } = wipeSpool(dir.path, 'shop-db');
  assert.equal(removed, 0);
  assert.deepEqual(left.toSorted(), [dir.file('spool/shop-db/7312'), dir.file('spool/shop-db/a.ok')]);
  assert.equal(await readFile(dir.file('precious/file'), 'utf8'), 'kept');

  await symlink(dir.file('precious'), dir.file('spool/linked-db'));
  assert.throws(() => wipeSpool(dir.path, 'linked-db'), /the spool .*linked-db can’t be wiped/);
  assert.equal(await readFile(dir.file('precious/file'), 'utf8'), 'kept');
});

const skip = process.getuid?.() === 0 ? false : absent('root');

test('what is another user’s is left, and named', { skip }, async () => {
  await using dir = await tempDir();
  await mkdir(dir.file('spool/shop-db'), { recursive: true });
  await writeFile(dir.file('spool/shop-db/a.ok'), '');
  await chown(dir.file('spool/shop-db/a.ok'), 65534, 65534);
  assert.deepEqual(wipeSpool(dir.path, 'shop-db'), { removed: 0, left: [dir.file('spool/shop-db/a.ok')] });
  assert.ok((await lstat(dir.file('spool/shop-db/a.ok'))).isFile());
});

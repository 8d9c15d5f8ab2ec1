import assert from 'node:assert/strict';
import { closeSync, openSync, symlinkSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { absent } from '../../test/absences.ts';
import { tempDir } from '../../test/support/temp-dir.ts';
import { rawPathOf } from '../bytes/ids.ts';
import { getXattr, listXattrs, removeXattr, setXattr } from './xattr.ts';
import { currentUser } from './users.ts';

const asRoot = { skip: currentUser().uid === 0 ? false : absent('root') };

test('what was set is listed and read back, by path and by descriptor, whatever its bytes', async () => {
  await using dir = await tempDir();
  const path = dir.file('file');
  writeFileSync(path, '');
  const fd = openSync(path, 'r+');
  const targets = fc.constantFrom(fd, rawPathOf(path));
  const names = fc.constantFrom('user.a', 'user.naïve', 'user.with space');
  let runs = 0;
  fc.assert(
    fc.property(targets, targets, names, fc.uint8Array({ maxLength: 3000 }), (written, read, name, value) => {
      setXattr(written, name, value);
      assert.ok(listXattrs(read).includes(name));
      assert.deepEqual(Buffer.from(getXattr(read, name)), Buffer.from(value));
      removeXattr(written, name);
      assert.deepEqual(listXattrs(read), []);
      runs += 1;
    }),
    { numRuns: 200 },
  );
  closeSync(fd);
  assert.equal(runs, 200);
});

test('a list of names longer than the first buffer is whole', async () => {
  await using dir = await tempDir();
  const path = rawPathOf(dir.file('file'));
  writeFileSync(path, '');
  const names = Array.from({ length: 12 }, (_, i) => `user.${'n'.repeat(200)}${i}`);
  for (const name of names) setXattr(path, name, Buffer.from('v'));
  assert.deepEqual([...listXattrs(path)].toSorted(), names.toSorted());
});

test('an attribute of a link is its own', asRoot, async () => {
  await using dir = await tempDir();
  writeFileSync(dir.file('file'), '');
  symlinkSync('file', dir.file('link'));
  setXattr(rawPathOf(dir.file('link')), 'trusted.mark', Buffer.from('link'));
  assert.deepEqual(listXattrs(rawPathOf(dir.file('link'))), ['trusted.mark']);
  assert.deepEqual(listXattrs(rawPathOf(dir.file('file'))), []);
});

test('refusals are named as the system names them', async () => {
  await using dir = await tempDir();
  writeFileSync(dir.file('file'), '');
  assert.throws(() => listXattrs(rawPathOf(dir.file('missing'))), { code: 'ENOENT' });
  assert.throws(() => getXattr(rawPathOf(dir.file('file')), 'user.missing'), { code: 'ENODATA' });
  assert.throws(() => setXattr(rawPathOf(dir.file('file')), 'nonsense', Buffer.from('v')), { code: 'ENOTSUP' });
});

import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { test } from 'node:test';
import { tempDir } from '../../test/support/temp-dir.ts';
import { rawPath, rawPathOf } from '../bytes/ids.ts';
import { Directory } from './directory.ts';

const name = rawPathOf;

test('children are made, seen, renamed and removed through the descriptor', async () => {
  await using dir = await tempDir();
  using root = Directory.open(name(dir.path));
  root.makeDirectory(name('sub'));
  using sub = root.openDirectory(name('sub'));
  fs.closeSync(sub.openFile(name('file'), fs.constants.O_CREAT | fs.constants.O_WRONLY));
  sub.makeSymlink(name('link'), name('file'));
  root.makeLink(name('hard'), sub, name('file'));
  assert.deepEqual([...sub.names()].toSorted(), ['file', 'link']);
  assert.equal(sub.readLink(name('link')), 'file');
  assert.equal(root.lstat(name('hard')).ino, sub.lstat(name('file')).ino);
  sub.rename(name('file'), root, name('moved'));
  sub.unlink(name('link'));
  root.removeDirectory(name('sub'));
  assert.deepEqual([...root.names()].toSorted(), ['hard', 'moved']);
  assert.equal(root.lstatIfThere(name('sub')), undefined);
});

test('a parent that is swapped for a link after it was opened leads nowhere', async () => {
  await using dir = await tempDir();
  fs.mkdirSync(dir.file('outside'));
  fs.mkdirSync(dir.file('inside'));
  using root = Directory.open(name(dir.path));
  using inside = root.openDirectory(name('inside'));
  fs.renameSync(dir.file('inside'), dir.file('aside'));
  fs.symlinkSync('outside', dir.file('inside'));
  inside.makeDirectory(name('made'));
  assert.deepEqual(fs.readdirSync(dir.file('outside')), []);
  assert.deepEqual(fs.readdirSync(dir.file('aside')), ['made']);
});

test('a link is neither entered, opened, written through nor given a mode', async () => {
  await using dir = await tempDir();
  fs.mkdirSync(dir.file('outside'));
  fs.writeFileSync(dir.file('target'), 'kept', { mode: 0o644 });
  fs.symlinkSync('outside', dir.file('to-directory'));
  fs.symlinkSync('target', dir.file('to-file'));
  using root = Directory.open(name(dir.path));
  assert.throws(() => root.openDirectory(name('to-directory')), { code: 'ENOTDIR' });
  assert.throws(() => root.openFile(name('to-file'), fs.constants.O_WRONLY | fs.constants.O_TRUNC), { code: 'ELOOP' });
  assert.throws(() => root.chmod(name('to-file'), 0o600), { code: 'ELOOP' });
  root.chown(name('to-file'), process.getuid?.() ?? 0, process.getgid?.() ?? 0);
  assert.equal(fs.readFileSync(dir.file('target'), 'utf8'), 'kept');
  assert.equal(fs.statSync(dir.file('target')).mode & 0o777, 0o644);
});

test('a mode is set with its special bits, also on what can not be opened', async () => {
  await using dir = await tempDir();
  fs.mkdirSync(dir.file('sub'), { mode: 0o000 });
  using root = Directory.open(name(dir.path));
  root.chmod(name('sub'), 0o7755);
  assert.equal(fs.statSync(dir.file('sub')).mode & 0o7777, 0o7755);
});

test('names are bytes: not UTF-8, with newlines, 255 long', async () => {
  await using dir = await tempDir();
  using root = Directory.open(name(dir.path));
  const names = [rawPath(Buffer.from([0x66, 0xff, 0xfe])), name('a\nb'), name('ü'.repeat(127) + 'x')];
  for (const each of names) root.makeDirectory(each);
  assert.deepEqual([...root.names()].toSorted(), names.toSorted());
  for (const each of names) assert.ok(root.lstat(each).isDirectory());
});

test('whatever is not a single name is refused', async () => {
  await using dir = await tempDir();
  using root = Directory.open(name(dir.path));
  for (const bad of ['', '.', '..', 'a/b', '/etc', '../x', 'a\0b']) {
    assert.throws(() => root.makeDirectory(name(bad)), { code: 'refused' }, JSON.stringify(bad));
  }
});

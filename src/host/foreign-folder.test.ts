import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { test } from 'node:test';
import { runProgram } from '../../test/support/run-program.ts';
import { tempDir } from '../../test/support/temp-dir.ts';
import { ForeignFolder } from './foreign-folder.ts';

test('a file is put in place of a link, of a pipe or of another file, and nothing is written through any of them', async () => {
  await using dir = await tempDir();
  fs.mkdirSync(dir.file('folder'));
  fs.writeFileSync(dir.file('precious'), 'kept');
  fs.symlinkSync(dir.file('precious'), dir.file('folder/link'));
  fs.linkSync(dir.file('precious'), dir.file('folder/hard'));
  await runProgram('mkfifo', [dir.file('folder/pipe')]);
  using folder = ForeignFolder.open(dir.file('folder'));
  for (const name of ['link', 'hard', 'pipe', 'new']) {
    folder.put(name, 'put', { mode: 0o640 });
    assert.equal(folder.text(name), 'put');
    assert.ok(fs.lstatSync(dir.file('folder', name)).isFile(), name);
  }
  assert.equal(fs.readFileSync(dir.file('precious'), 'utf8'), 'kept');
});

test('neither a link nor a pipe is read, and a link is no folder', async () => {
  await using dir = await tempDir();
  for (const name of ['folder', 'elsewhere']) fs.mkdirSync(dir.file(name));
  fs.writeFileSync(dir.file('secret'), 'secret');
  fs.symlinkSync(dir.file('secret'), dir.file('folder/link'));
  fs.symlinkSync(dir.file('elsewhere'), dir.file('folder/sub'));
  await runProgram('mkfifo', [dir.file('folder/pipe')]);
  using folder = ForeignFolder.open(dir.file('folder'));
  for (const name of ['link', 'pipe', 'sub']) assert.throws(() => folder.text(name), { code: 'damaged' }, name);
  for (const name of ['link', 'pipe', 'sub']) {
    assert.throws(() => folder.folder(name), { code: 'damaged' }, name);
    assert.throws(() => folder.folderMade(name, { mode: 0o777 }), { code: 'damaged' }, name);
  }
  assert.throws(() => ForeignFolder.open(dir.file('folder/sub')), {
    code: 'damaged',
    message: /folder\/sub is a link/,
  });
  assert.equal(folder.text('nothing'), undefined);
  assert.equal(fs.statSync(dir.file('elsewhere')).mode & 0o022, 0);
});

test('what is removed with all below it takes links away, and nothing that they lead to', async () => {
  await using dir = await tempDir();
  for (const name of ['folder/sub/deep', 'elsewhere']) fs.mkdirSync(dir.file(name), { recursive: true });
  fs.writeFileSync(dir.file('elsewhere/file'), '');
  for (const name of ['folder/link', 'folder/sub/deep/link']) fs.symlinkSync(dir.file('elsewhere'), dir.file(name));
  using folder = ForeignFolder.open(dir.file('folder'));
  for (const name of ['sub', 'link', 'nothing']) folder.removeAll(name);
  assert.deepEqual(folder.names(), []);
  assert.deepEqual(fs.readdirSync(dir.file('elsewhere')), ['file']);
});

test('a link is led elsewhere, and takes the place of a folder', async () => {
  await using dir = await tempDir();
  fs.mkdirSync(dir.file('folder/1'), { recursive: true });
  fs.writeFileSync(dir.file('folder/1/file'), '');
  fs.symlinkSync('/nowhere', dir.file('folder/2'));
  using folder = ForeignFolder.open(dir.file('folder'));
  for (const name of ['1', '2', '3']) folder.lead(name, '/somewhere');
  assert.deepEqual(
    ['1', '2', '3'].map((name) => folder.link(name)),
    ['/somewhere', '/somewhere', '/somewhere'],
  );
  assert.deepEqual(folder.names().toSorted(), ['1', '2', '3']);
});

test('a new folder is given away itself, and none that stands there', async () => {
  await using dir = await tempDir();
  fs.mkdirSync(dir.file('folder/theirs'), { recursive: true });
  fs.symlinkSync(dir.file('folder/theirs'), dir.file('folder/link'));
  using folder = ForeignFolder.open(dir.file('folder'));
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  using made = folder.newFolder('new', { owner: uid === 0 ? { uid: 65534, gid: 65534 } : { uid, gid }, mode: 0o750 });
  assert.equal(made.stat().mode & 0o777, 0o750);
  assert.equal(fs.statSync(dir.file('folder/new')).uid, uid === 0 ? 65534 : uid);
  for (const name of ['theirs', 'link']) assert.throws(() => folder.newFolder(name), { code: 'EEXIST' }, name);
  fs.writeFileSync(made.pathForAll('file'), '');
  assert.deepEqual(fs.readdirSync(dir.file('folder/new')), ['file']);
});

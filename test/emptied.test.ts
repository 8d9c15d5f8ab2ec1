import assert from 'node:assert/strict';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { tempDir, type TempDir } from './support/temp-dir.ts';
import { cheapNear, near, sceneAt, type Scene } from './support/verifying.ts';

/** A component of these paths below the scene; each gets a file in a folder of a folder. */
async function disks(dir: TempDir, paths: readonly string[], more = ''): Promise<Scene> {
  await cheapNear(dir.path);
  for (const path of paths) await fill(dir, path);
  const named = paths.map((path) => `DIR/${path}`).join(', ');
  const rule = 'backups: { hourly: { every: 1h, to: { near: { keep: { last: 9 } } } } }';
  return await sceneAt(dir.path, `${near}components:\n  data:\n    files: { paths: [${named}]${more} }\n    ${rule}\n`);
}

async function fill(dir: TempDir, path: string): Promise<void> {
  await mkdir(dir.file(path, 'deep/er'), { recursive: true });
  await writeFile(dir.file(path, 'deep/er/file'), path);
}

/** As after an unmount: the mount point stays, or the folders above it. */
async function unmount(dir: TempDir, path: string, left: '' | 'deep/er' = ''): Promise<void> {
  await rm(dir.file(path), { recursive: true });
  await mkdir(dir.file(path, left), { recursive: true });
}

async function count(scene: Scene): Promise<number> {
  return (JSON.parse(await scene.ok('snapshots', '--json')) as readonly unknown[]).length;
}

test('a path that had files in the last backup and has none is not backed up as empty, however often it is tried', async () => {
  await using dir = await tempDir();
  const scene = await disks(dir, ['disk']);
  await scene.ok('backup', 'data');
  for (const left of ['', 'deep/er', ''] as const) {
    await unmount(dir, 'disk', left);
    const { code, stderr } = await scene.run('backup', 'data');
    assert.equal(code, 1);
    assert.match(
      stderr,
      /data, rule hourly, near: .*disk: no file is there, and the last backup had some\n.*allow-empty/,
    );
    assert.equal(await count(scene), 1);
  }
  assert.equal((await scene.run('backup', 'data', '--dry-run')).code, 1);
  await fill(dir, 'disk');
  await scene.ok('backup', 'data');
  assert.equal(await count(scene), 2);
});

test('of several paths the one that was emptied is left out and told, each time; the others are backed up', async () => {
  await using dir = await tempDir();
  const scene = await disks(dir, ['one', 'two']);
  await scene.ok('backup', 'data');
  await unmount(dir, 'one');
  for (let times = 0; times < 2; times += 1) {
    const { code, stderr } = await scene.run('backup', 'data');
    assert.equal(code, 3);
    assert.match(stderr, /one: left out: no file is there, and the last backup had some/);
  }
  assert.equal(await count(scene), 3);
  await scene.ok('restore', 'data', '--target', 'out');
  assert.equal(await readFile(dir.file(`out${dir.path}/two/deep/er/file`), 'utf8'), 'two');
  await assert.rejects(readFile(dir.file(`out${dir.path}/one/deep/er/file`)), { code: 'ENOENT' });
  assert.match(await scene.ok('records', '--kind', 'run'), /done in part/);
});

test('what was empty from the first is backed up so; what may become empty is when allow-empty says so, and stays so', async () => {
  await using dir = await tempDir();
  const scene = await disks(dir, ['disk']);
  await unmount(dir, 'disk');
  await scene.ok('backup', 'data');
  await scene.ok('backup', 'data');
  await fill(dir, 'disk');
  await scene.ok('backup', 'data');
  await unmount(dir, 'disk');
  const policy = await readFile(dir.file('holdfast.yaml'), 'utf8');
  await writeFile(dir.file('holdfast.yaml'), policy.replace('files: {', 'files: { allow-empty: true,'));
  await scene.ok('backup', 'data');
  await writeFile(dir.file('holdfast.yaml'), policy);
  await scene.ok('backup', 'data');
  assert.equal(await count(scene), 5);
});

test('where the last backup can’t be read, an empty path is not taken for one that always was', async () => {
  await using dir = await tempDir();
  const scene = await disks(dir, ['disk']);
  await scene.ok('backup', 'data');
  await unmount(dir, 'disk');
  await rm(dir.file('near/data'), { recursive: true });
  await rm(dir.file('cache'), { recursive: true, force: true });
  assert.equal((await scene.run('backup', 'data')).code, 1);
});

test('the last snapshot with a path that was emptied since is kept, whatever the rules say, until the path is back', async () => {
  await using dir = await tempDir();
  const scene = await disks(dir, ['one', 'two']);
  const policy = await readFile(dir.file('holdfast.yaml'), 'utf8');
  await writeFile(dir.file('holdfast.yaml'), policy.replace('last: 9', 'last: 1'));
  await scene.ok('backup', 'data');
  await unmount(dir, 'one');
  for (const changed of ['second', 'third']) {
    await writeFile(dir.file('two/file'), changed);
    assert.equal((await scene.run('backup', 'data')).code, 3);
    assert.match(await scene.ok('forget', 'data'), /the newest with \S+\/one/);
    assert.equal(await count(scene), 2);
  }
  await fill(dir, 'one');
  await scene.ok('backup', 'data');
  assert.doesNotMatch(await scene.ok('forget', 'data'), /the newest with/);
  assert.equal(await count(scene), 1);
});

test('an emptied component is restored in place: its safety backup is of what is there', async () => {
  await using dir = await tempDir();
  const scene = await disks(dir, ['disk']);
  await scene.ok('backup', 'data');
  await unmount(dir, 'disk');
  await scene.ok('restore', 'data', '--in-place');
  assert.equal(await readFile(dir.file('disk/deep/er/file'), 'utf8'), 'disk');
});

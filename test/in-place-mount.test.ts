import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { mounted, withoutMounts } from './support/mounting.ts';
import { tempDir, type TempDir } from './support/temp-dir.ts';
import { cheapNear, near, sceneAt, type Scene } from './support/verifying.ts';

const skip = withoutMounts();

/** A component whose path is a disk of its own, backed up, then spoiled. */
async function disk(dir: TempDir): Promise<Scene> {
  await cheapNear(dir.path);
  await mkdir(dir.file('disk/deep'));
  await writeFile(dir.file('disk/deep/file'), 'good');
  await writeFile(dir.file('disk/lost'), 'good');
  const rule = 'backups: { hourly: { every: 1h, to: { near: { keep: { last: 9 } } } } }';
  const scene = await sceneAt(dir.path, `${near}components:\n  data:\n    files: { paths: [DIR/disk] }\n    ${rule}\n`);
  await scene.ok('backup', 'data');
  await spoil(dir);
  return scene;
}

async function spoil(dir: TempDir): Promise<void> {
  await writeFile(dir.file('disk/deep/file'), 'spoiled');
  await rm(dir.file('disk/lost'), { force: true });
  await writeFile(dir.file('disk/new'), 'new');
}

async function names(dir: TempDir): Promise<readonly string[]> {
  return (await readdir(dir.file('disk'))).map((name) => name.replace(/^\.holdfast-.*/, '(plan)')).toSorted();
}

async function deep(dir: TempDir): Promise<string> {
  return await readFile(dir.file('disk/deep/file'), 'utf8');
}

test(
  'a mount point is restored in place by what it holds; undo brings back what was there, confirm gives it up',
  { skip },
  async () => {
    await using dir = await tempDir();
    await mkdir(dir.file('disk'));
    await using _mount = await mounted(dir.file('disk'));
    const scene = await disk(dir);
    const { dev, ino } = await stat(dir.file('disk'));
    assert.match(
      await scene.ok('restore', 'data', '--in-place', '--dry-run'),
      /what \S+ holds and what was restored change places/,
    );
    await scene.ok('restore', 'data', '--in-place');
    assert.deepEqual([await names(dir), await deep(dir)], [['(plan)', 'deep', 'lost'], 'good']);
    assert.deepEqual([(await stat(dir.file('disk'))).dev, (await stat(dir.file('disk'))).ino], [dev, ino]);
    await scene.ok('backup', 'data');
    assert.doesNotMatch(
      await scene.ok('ls', 'latest', '-r', dir.file('near'), '--password-file', dir.file('password')),
      /\.holdfast-/,
    );
    await scene.ok('undo');
    assert.deepEqual([await names(dir), await deep(dir)], [['deep', 'new'], 'spoiled']);
    await scene.ok('restore', 'data', '--in-place');
    await scene.ok('confirm');
    assert.deepEqual([await names(dir), await deep(dir)], [['deep', 'lost'], 'good']);
  },
);

test('where something is mounted below a path, nothing is moved along with it', { skip }, async () => {
  await using dir = await tempDir();
  await mkdir(dir.file('disk'));
  const scene = await disk(dir);
  await mkdir(dir.file('disk/inner'));
  await using _mount = await mounted(dir.file('disk/inner'));
  await writeFile(dir.file('disk/inner/precious'), 'kept');
  const { code, stderr } = await scene.run('restore', 'data', '--in-place');
  assert.equal(code, 2);
  assert.match(stderr, /disk\/inner, below .*disk, is a mount point, which can’t be moved along/);
  assert.equal(await readFile(dir.file('disk/inner/precious'), 'utf8'), 'kept');
  assert.equal(await deep(dir), 'spoiled');
});

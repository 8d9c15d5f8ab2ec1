import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { mounted, withoutMounts } from './support/mounting.ts';
import { runOk } from './support/run-program.ts';
import { served } from './support/served.ts';
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

test(
  'a disk that goes away while a plan waits, or between its steps, is named: nothing is done beneath where it was, and once it is back the plan goes on',
  { skip },
  async () => {
    await using dir = await tempDir();
    await cheapNear(dir.path);
    for (const name of ['kept/data', 'disk']) await mkdir(dir.file(name), { recursive: true });
    await writeFile(dir.file('kept/data/file'), 'good');
    const bind = ['--bind', dir.file('kept'), dir.file('disk')];
    await runOk('mount', bind);
    await using _mount = { [Symbol.asyncDispose]: async () => void (await runOk('umount', [dir.file('disk')])) };
    const rule = 'backups: { hourly: { every: 1h, to: { near: { keep: { last: 9 } } } } }';
    const around = 'restore: { stop: "umount DIR/disk", start: "touch DIR/started", approval: another-person }';
    const policy = `${near}components:\n  data:\n    files: { paths: [DIR/disk/data] }\n    ${rule}\n    ${around}\n`;
    const scene = await sceneAt(dir.path, policy);
    await scene.ok('backup', 'data');
    await writeFile(dir.file('kept/data/file'), 'spoiled');
    const waiting = await scene.run('restore', 'data', '--in-place');
    const [, hash = ''] = /holdfast approve ([0-9a-f]{12})/.exec(waiting.stderr) ?? [];
    const state = ['--cache-dir', dir.file('cache'), '--state-dir', dir.file('state')];
    const env = { PATH: process.env['PATH'] ?? '', HOME: dir.path, SUDO_USER: 'bob' };
    assert.equal((await served({ args: [...state, 'approve', hash], env, cwd: dir.path })).code, 0);
    await runOk('umount', [dir.file('disk')]);
    const isAway = async (...words: readonly string[]): Promise<void> => {
      const away = await scene.run(...words);
      assert.equal(away.code, 1);
      assert.match(away.stderr, /disk was on the disk mounted at \S+\/disk when this was planned/);
      assert.deepEqual([await readdir(dir.file('disk')), existsSync(dir.file('started'))], [[], false]);
    };
    await isAway('restore', 'data', '--in-place');
    await isAway('undo');
    await runOk('mount', bind);
    assert.equal(await readFile(dir.file('disk/data/file'), 'utf8'), 'spoiled');
    await isAway('restore', 'data', '--in-place');
    await runOk('mount', bind);
    await scene.ok('restore', 'data', '--in-place');
    assert.equal(await readFile(dir.file('disk/data/file'), 'utf8'), 'good');
    assert.equal(existsSync(dir.file('started')), true);
  },
);

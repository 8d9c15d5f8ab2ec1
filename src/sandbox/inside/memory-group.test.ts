import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { tempDir, type TempDir } from '../../../test/support/temp-dir.ts';
import { ManualClock } from '../../clock/manual-clock.ts';
import { memoryGroup, type GroupTree } from './memory-group.ts';

/**
 * A tree as the kernel shows control groups of version 2 (Documentation/admin-guide/cgroup-v2.rst): a new group has the
 * memory files only where its parent's cgroup.subtree_control enables them, and no group that holds processes may
 * enable any. This process is in /user.slice/session.scope.
 */
async function versionTwo(dir: TempDir, enabledIn: readonly string[]): Promise<GroupTree> {
  const root = dir.file('cgroup');
  const slice = join(root, 'user.slice');
  await mkdir(join(slice, 'session.scope'), { recursive: true });
  for (const folder of [root, slice, join(slice, 'session.scope')])
    await writeFile(
      join(folder, 'cgroup.subtree_control'),
      enabledIn.includes(folder.slice(root.length)) ? 'memory' : '',
    );
  await writeFile(dir.file('own'), '0::/user.slice/session.scope\n');
  await writeFile(dir.file('mounts'), `proc /proc proc rw 0 0\ncgroup2 ${root} cgroup2 rw,nosuid 0 0\n`);
  const make = async (path: string): Promise<void> => {
    await mkdir(path);
    await writeFile(join(path, 'cgroup.procs'), '');
    if ((await readFile(join(dirname(path), 'cgroup.subtree_control'), 'utf8')) !== 'memory') return;
    for (const name of ['memory.max', 'memory.swap.max']) await writeFile(join(path, name), 'max\n');
    await writeFile(join(path, 'memory.events'), 'low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\noom_group_kill 0\n');
  };
  return {
    own: dir.file('own'),
    mounts: dir.file('mounts'),
    make,
    remove: async (path) => await rm(path, { recursive: true }),
  };
}

const clock = new ManualClock();

async function groupsIn(dir: TempDir): Promise<readonly string[]> {
  const all = await readdir(dir.file('cgroup'), { recursive: true });
  return all.filter((path) => /holdfast-\d+-[0-9a-f]{12}$/.test(path)).map(dirname);
}

test('a group of version 2 is made where its parent enables memory, and is bounded without swap', async () => {
  await using dir = await tempDir();
  const tree = await versionTwo(dir, ['', '/user.slice']);
  const group = (await memoryGroup(64 << 20, clock, tree)) ?? assert.fail('no group');
  // Not below its own, which holds processes: there the files of memory are missing.
  assert.deepEqual(await groupsIn(dir), ['user.slice']);
  assert.equal(await readFile(join(group.path, 'memory.max'), 'utf8'), String(64 << 20));
  assert.equal(await readFile(join(group.path, 'memory.swap.max'), 'utf8'), '0');
  assert.equal(await group.ranOut(), false);
  await writeFile(join(group.path, 'memory.events'), 'low 0\nmax 12\noom 1\noom_kill 1\noom_group_kill 0\n');
  assert.equal(await group.ranOut(), true);
  await group.remove();
  assert.deepEqual(await groupsIn(dir), []);
});

test('where nobody enables memory there is no group, and nothing is left of the search', async () => {
  await using dir = await tempDir();
  assert.equal(await memoryGroup(64 << 20, clock, await versionTwo(dir, [])), undefined);
  assert.deepEqual(await groupsIn(dir), []);
});

test('a folder in which this user may make none is passed over for the next', async () => {
  await using dir = await tempDir();
  const tree = await versionTwo(dir, ['', '/user.slice']);
  const make: GroupTree['make'] = async (path) => {
    if (dirname(path).endsWith('slice')) throw Object.assign(new Error('refused'), { code: 'EACCES' });
    return await tree.make(path);
  };
  assert.ok((await memoryGroup(64 << 20, clock, { ...tree, make })) !== undefined);
  assert.deepEqual(await groupsIn(dir), ['.']);
});

test('the groups of dead processes are removed, those of living ones are left', async () => {
  await using dir = await tempDir();
  const tree = await versionTwo(dir, ['/user.slice']);
  const [dead, living] = [4_000_000, process.ppid].map((pid) =>
    join(dir.file('cgroup/user.slice'), `holdfast-${pid}-0123456789ab`),
  );
  await tree.make(dead ?? assert.fail());
  await tree.make(living ?? assert.fail());
  const group = await memoryGroup(64 << 20, clock, tree);
  await group?.remove();
  assert.deepEqual(await groupsIn(dir), ['user.slice']);
  assert.ok((await readdir(living ?? '')).includes('memory.max'));
});

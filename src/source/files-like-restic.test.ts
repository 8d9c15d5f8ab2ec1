import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { test } from 'node:test';
import { mounted, withoutMounts } from '../../test/support/mounting.ts';
import { resticOk, withoutRestic, type ResticRepository } from '../../test/servers/restic.ts';
import { makeSpecimens } from '../../test/support/specimens.ts';
import { tempDir } from '../../test/support/temp-dir.ts';
import { cheapRepository } from '../../test/support/two-tools.ts';
import { makeTree, noExcludes, walked } from '../../test/support/walked.ts';
import { displayPath, rawPathOf } from '../bytes/ids.ts';
import { baseName, parentPath } from '../bytes/unix-path.ts';
import type { Entry } from '../snapshot/entry.ts';
import { decodeTree } from '../snapshot/tree.ts';
import { cacheTag } from './files.ts';

test(
  'everything that a file system holds is recorded exactly as restic records it',
  { skip: withoutRestic('0.19.1') },
  async () => {
    await using dir = await tempDir();
    fs.mkdirSync(dir.file('above/all'), { recursive: true });
    fs.chmodSync(dir.file('above'), 0o2750);
    await makeSpecimens(dir.file('above/all'));
    const at = await cheapRepository(dir.file('repository'));
    await resticOk('0.19.1', at, ['backup', '--quiet', dir.file('above/all')]);
    const snapshot = (await resticOk('0.19.1', at, ['list', 'snapshots', '--quiet'])).trim();
    const ours = await walked([dir.file('above/all')]);
    let compared = 0;
    for (const folder of [dir.path, dir.file('above/all')]) {
      const json = await resticOk('0.19.1', at, ['cat', 'tree', `${snapshot}:${folder}`]);
      const theirs = [...decodeTree(Buffer.from(json))];
      const mine = ours.entries.filter(({ path }) => parentPath(path) === rawPathOf(folder.slice(1)));
      assert.deepEqual(
        mine.map(({ path }) => baseName(path)).toSorted(),
        theirs.map(({ name }) => name),
      );
      for (const { name, content: _content, subtree: _subtree, ...theirMetadata } of theirs) {
        const metadata = mine.find(({ path }) => baseName(path) === name)?.metadata;
        assert.deepEqual(comparable(metadata ?? {}), comparable(theirMetadata), displayPath(name));
        compared += 1;
      }
    }
    assert.ok(compared >= 35, `${compared} nodes compared`);
    assert.deepEqual(ours.events, []);
  },
);

/** Values as plain bytes, whatever holds them. */
function comparable(metadata: Partial<Entry['metadata']>): object {
  const xattrs = metadata.xattrs?.map(({ name, value }) => [name, Buffer.from(value ?? []).toString('hex')]);
  return { ...metadata, xattrs };
}
/** Paths of the files and folders that restic would back up; a folder's ends with '/'. */
async function resticWouldTake(at: ResticRepository, folder: string, args: readonly string[]): Promise<string[]> {
  const flags = ['backup', '--dry-run', '--json', '--verbose=2', '--force'];
  const output = await resticOk('0.19.1', at, [...flags, ...args], { cwd: folder });
  const messages = output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { action?: string; item?: string });
  return messages.flatMap(({ action, item }) => (action === 'new' && item ? [item] : [])).toSorted();
}

async function weWouldTake(folder: string, targets: readonly string[], excludes = noExcludes): Promise<string[]> {
  const back = process.cwd();
  process.chdir(folder);
  try {
    const { entries } = await walked(targets, { excludes });
    const taken = entries.filter(({ metadata }) => metadata.type === 'file' || metadata.type === 'dir');
    return taken.map(({ path, metadata }) => `/${path}${metadata.type === 'dir' ? '/' : ''}`).toSorted();
  } finally {
    process.chdir(back);
  }
}

test('targets of every shape get the places that restic gives them', { skip: withoutRestic('0.19.1') }, async () => {
  await using dir = await tempDir();
  await makeTree(dir, ['place/a/one', 'place/a/b/two', 'place/c', 'other/a/three', 'a/four']);
  const at = await cheapRepository(dir.file('repository'));
  const shapes = [
    [dir.file('place/a/b')],
    ['.'],
    ['a', '../a', '../other/a', dir.file('a')],
    ['a/b/two', 'a', './c', 'c'],
    ['..', 'a/../../place/a/b'],
  ];
  for (const targets of shapes) {
    const theirs = await resticWouldTake(at, dir.file('place'), targets);
    const ours = await weWouldTake(dir.file('place'), targets);
    // The repository lies in a folder that one of the targets takes, and its keys are written meanwhile.
    const stable = (path: string): boolean => !path.includes('/repository/');
    assert.deepEqual(ours.filter(stable), theirs.filter(stable), targets.join(' '));
  }
});

test('excludes of every kind leave out what restic leaves out', { skip: withoutRestic('0.19.1') }, async () => {
  await using dir = await tempDir();
  await makeTree(dir, ['t/a.tmp', 't/A.TMP', 't/keep.tmp', 't/cache/CACHEDIR.TAG', 't/cache/x', 't/fake/CACHEDIR.TAG']);
  await makeTree(dir, ['t/fake/x', 't/skipped/.skip', 't/skipped/x', 't/skipped/sub/y', 't/deep/t/x', 't/big']);
  fs.writeFileSync(dir.file('t/cache/CACHEDIR.TAG'), 'Signature: 8a477f597d28d172789f06886806bc55 and more');
  fs.writeFileSync(dir.file('t/big'), Buffer.alloc(2000));
  const at = await cheapRepository(dir.file('repository'));
  const args = ['--exclude=*.tmp', '--exclude=!keep.tmp', '--iexclude=a.tMp', '--exclude-caches'];
  const more = ['--exclude-if-present=.skip', '--exclude-larger-than=1K', `--exclude=${dir.file('t/deep/**/x')}`];
  const theirs = await resticWouldTake(at, dir.path, [...args, ...more, 't', 't/a.tmp']);
  const ours = await weWouldTake(dir.path, ['t', 't/a.tmp'], {
    patterns: ['*.tmp', '!keep.tmp', dir.file('t/deep/**/x')].map(rawPathOf),
    caseInsensitivePatterns: [rawPathOf('a.tMp')],
    ifPresent: ['.skip', cacheTag],
    largerThanBytes: 1024,
    fileSystems: 'all',
    folders: [],
  });
  assert.deepEqual(ours, theirs);
  assert.ok(theirs.includes('/t/keep.tmp') && !theirs.includes('/t/A.TMP') && !theirs.includes('/t/skipped/x'));
});

test(
  'with one file system only, a mount point is kept and what is mounted is not',
  { skip: withoutMounts() },
  async () => {
    await using dir = await tempDir();
    await makeTree(dir, ['t/here', 't/mounted/hidden']);
    await using _mount = await mounted(dir.file('t/mounted'));
    await makeTree(dir, ['t/mounted/there', 't/mounted/sub/there']);
    const taken = await weWouldTake(dir.path, ['t'], { ...noExcludes, fileSystems: 'those-of-targets' });
    assert.deepEqual(taken, ['/t/', '/t/here', '/t/mounted/']);
    const both = await weWouldTake(dir.path, ['t', 't/mounted/sub'], {
      ...noExcludes,
      fileSystems: 'those-of-targets',
    });
    assert.deepEqual(both, ['/t/', '/t/here', '/t/mounted/', '/t/mounted/sub/', '/t/mounted/sub/there']);
  },
);

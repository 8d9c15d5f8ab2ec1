import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { parseBlobId, rawPathOf, type BlobId } from '../bytes/ids.ts';
import { fieldsOf, listOf, textOf, type Fields } from '../bytes/fields.ts';
import { parsePathPatterns } from '../bytes/path-pattern.ts';
import { systemClock } from '../clock/clock.ts';
import { hasCode } from '../errors/error.ts';
import { silent } from '../events/events.ts';
import { openRepository } from '../repository/open.ts';
import type { Repository } from '../repository/repository.ts';
import { openLocal } from '../storage/local.ts';
import { resticOk, withoutRestic } from '../../test/servers/restic.ts';
import { tempDir, type TempDir } from '../../test/support/temp-dir.ts';
import { cheapRepository } from '../../test/support/two-tools.ts';
import { diffTrees, type Change, type DiffSide, type DiffStatistics } from './diff.ts';
import { findBlobs, findNodes } from './find.ts';
import { listItems } from './list.ts';
import { locate, locateFolder } from './locate.ts';
import type { Snapshot } from './snapshot.ts';
import { listSnapshots } from './snapshots.ts';
import { usedBlobs } from './used-blobs.ts';
import { walkTree, type WalkItem } from './walk.ts';

const skip = withoutRestic('0.19.1');
const options = { listener: silent, signal: new AbortController().signal };
let dir: TempDir;
let repository: Repository;
let first: Snapshot;
let second: Snapshot;

async function restic(...args: readonly string[]): Promise<string> {
  return await resticOk('0.19.1', { repository: dir.file('repository'), password: 'secret' }, args, { cwd: dir.path });
}

/** Two snapshots with every kind of difference. */
before(async () => {
  dir = await tempDir();
  if (skip !== false) return;
  mkdirSync(dir.file('s/a/deep/er'), { recursive: true });
  mkdirSync(dir.file('s/same/sub'), { recursive: true });
  for (const name of ['a/deep/er/x', 'a/gone', 'same/sub/y', 'same/Z.TXT', 'turns', 'é', 'mode'])
    writeFileSync(dir.file('s', name), name);
  symlinkSync('nowhere', dir.file('s/link'));
  await cheapRepository(dir.file('repository'));
  await restic('backup', 's');
  rmSync(dir.file('s/a/gone'));
  writeFileSync(dir.file('s/a/deep/er/x'), 'other');
  rmSync(dir.file('s/turns'));
  mkdirSync(dir.file('s/turns'));
  mkdirSync(dir.file('s/new/dir'), { recursive: true });
  writeFileSync(dir.file('s/new/dir/file.txt'), 'new');
  symlinkSync('there', dir.file('s/new/link'));
  chmodSync(dir.file('s/mode'), 0o600);
  await restic('backup', 's', '--force');
  repository = await openRepository({
    storage: await openLocal(dir.file('repository')),
    clock: systemClock,
    password: 'secret',
  });
  const snapshots = (await listSnapshots(repository)).flatMap((found) =>
    found.kind === 'snapshot' ? [found.snapshot] : [],
  );
  assert.ok(snapshots[0] !== undefined && snapshots[1] !== undefined);
  [first, second] = [snapshots[0], snapshots[1]];
  await repository.loadIndex(silent);
});

after(async () => {
  await repository?.[Symbol.asyncDispose]();
  await dir[Symbol.asyncDispose]();
});

function jsonLines(text: string): readonly Fields[] {
  const lines = text
    .trim()
    .split('\n')
    .filter((line) => line !== '');
  return lines.map((line) => fieldsOf(JSON.parse(line), 'line'));
}

async function paths(
  items: AsyncIterable<{ readonly kind: string; readonly path: string }>,
): Promise<readonly string[]> {
  return (await Array.fromAsync(items)).map(({ kind, path }) => `${kind} ${Buffer.from(path, 'latin1').toString()}`);
}

for (const [what, flags, depth, folders] of [
  ['everything', [], 'all', []],
  ['a folder', ['/s/a'], 'items', ['/s/a']],
  ['folders and all below', ['--recursive', '/s/a', '/s/new'], 'all', ['/s/a', '/s/new']],
] as const) {
  test(`listing ${what} gives what restic ls gives`, { skip }, async () => {
    const lines = jsonLines(await restic('ls', '--json', second.id, ...flags));
    const expected = lines
      .filter((line) => line['message_type'] === 'node')
      .map((line) => `node ${textOf(line['path'], 'path')}`);
    const found = await paths(
      listItems(repository, second.tree, { folders: folders.map(rawPathOf), depth, leading: 'left out' }),
    );
    assert.deepEqual(found, expected);
    assert.ok(found.length > 1);
  });
}

for (const [pattern, how] of [
  ['*.txt', 'exact'],
  ['*.TXT', 'ignored'],
  ['/s/a/**', 'exact'],
  ['same', 'exact'],
  ['/s/*/d*', 'exact'],
] as const) {
  test(`finding ${pattern} (case ${how}) gives what restic find gives`, { skip }, async () => {
    const flags = how === 'ignored' ? ['--ignore-case'] : [];
    const found: unknown = JSON.parse(await restic('find', '--json', '-s', second.id, ...flags, pattern));
    const expected = listOf(found, 'snapshots').flatMap((snapshot) =>
      listOf(fieldsOf(snapshot, 'snapshot')['matches'], 'matches').map(
        (match) => `node ${textOf(fieldsOf(match, 'match')['path'], 'path')}`,
      ),
    );
    const patterns = parsePathPatterns([rawPathOf(pattern)], { case: how });
    const mine = await paths(findNodes(repository, second.tree, { patterns }));
    assert.deepEqual(mine, expected);
    assert.ok(mine.length > 0);
  });
}

test('times bound what is found', { skip }, async () => {
  const patterns = parsePathPatterns([rawPathOf('x')]);
  const [only] = await Array.fromAsync(findNodes(repository, second.tree, { patterns }));
  assert.ok(only?.kind === 'node');
  const { mtimeNs } = only.node;
  const at = async (bounds: object): Promise<number> =>
    (await paths(findNodes(repository, second.tree, { patterns, ...bounds }))).length;
  assert.deepEqual([await at({ oldestNs: mtimeNs }), await at({ newestNs: mtimeNs })], [1, 1]);
  assert.deepEqual([await at({ oldestNs: mtimeNs + 1n }), await at({ newestNs: mtimeNs - 1n })], [0, 0]);
});

test('blobs are found where they are used', { skip }, async () => {
  const { node } = await nodeAt('/s/a/deep/er/x');
  const [blob] = node.content ?? [];
  const tree = (await nodeAt('/s/a')).node.subtree;
  const found = await Array.fromAsync(findBlobs(repository, second.tree, (_type, id) => id === blob || id === tree));
  assert.deepEqual(
    found.map((one) => `${one.kind === 'blob' ? one.type : ''} ${one.path}`),
    ['tree /s/a', 'data /s/a/deep/er/x'],
  );
});

async function nodeAt(path: string): Promise<Extract<Awaited<ReturnType<typeof locate>>, { kind: 'node' }>> {
  const located = await locate(repository, second.tree, rawPathOf(path));
  assert.ok(located.kind === 'node');
  return located;
}

test('a path leads to its node, and only folders lead on', { skip }, async () => {
  assert.equal((await nodeAt('s/link')).node.type, 'symlink');
  assert.equal((await nodeAt('/s/é')).node.type, 'file');
  assert.equal(await locateFolder(repository, second.tree, rawPathOf('')), second.tree);
  assert.equal(await locateFolder(repository, second.tree, rawPathOf('/')), second.tree);
  assert.equal(await locateFolder(repository, second.tree, rawPathOf('s/a/..')), (await nodeAt('/s')).node.subtree);
  for (const path of ['/s/none', '/s/link/x', '/s/mode/x']) {
    await assert.rejects(locate(repository, second.tree, rawPathOf(path)), (error) => hasCode(error, 'path-not-found'));
  }
  await assert.rejects(locateFolder(repository, second.tree, rawPathOf('/s/mode')), (error) =>
    hasCode(error, 'path-not-found'),
  );
});

async function difference(from: Snapshot, to: Snapshot, metadata: 'compared' | 'ignored'): Promise<Difference> {
  const changes: Change[] = [];
  const walk = diffTrees(repository, from.tree, to.tree, { metadata });
  for (;;) {
    const step = await walk.next();
    if (step.done === true) return { changes, sums: step.value };
    assert.ok(step.value.kind === 'change');
    changes.push(step.value);
  }
}

interface Difference {
  readonly changes: readonly Change[];
  readonly sums: DiffStatistics;
}

function asRestic({ dataBlobs, treeBlobs, ...side }: DiffSide): Fields {
  return { ...side, data_blobs: dataBlobs, tree_blobs: treeBlobs };
}

for (const metadata of ['ignored', 'compared'] as const) {
  test(`differences with metadata ${metadata} are restic's, with its sums`, { skip }, async () => {
    for (const [from, to] of [
      [first, second],
      [second, first],
      [first, first],
    ] as const) {
      const flags = metadata === 'compared' ? ['--metadata'] : [];
      const lines = jsonLines(await restic('diff', '--json', ...flags, from.id, to.id));
      const { changes, sums } = await difference(from, to, metadata);
      const mine = changes.map(({ path, modifier }) => `${modifier} ${Buffer.from(path, 'latin1').toString()}`);
      const theirs = lines.filter((line) => line['message_type'] === 'change');
      assert.deepEqual(
        mine,
        theirs.map((line) => `${textOf(line['modifier'], 'm')} ${textOf(line['path'], 'p')}`),
      );
      const { changed_files: changedFiles, added, removed } = lines.at(-1) ?? {};
      assert.deepEqual(
        [sums.changedFiles, asRestic(sums.added), asRestic(sums.removed)],
        [changedFiles, added, removed],
      );
    }
  });
}

test('all that the snapshots need is used, and every blob of a fresh repository is needed', { skip }, async () => {
  const used = await usedBlobs(repository, [first.tree, second.tree], options);
  const all = [...repository.index.all()];
  assert.ok(all.every(({ type, id }) => used.has(type, id)));
  assert.equal(used.size, new Set(all.map(({ type, id }) => `${type} ${id}`)).size);
});

test('a tree that is lost is told where it should be, and the walk goes on beside it', { skip }, async () => {
  const lost = (await nodeAt('/s/a/deep')).node.subtree;
  const reader = {
    readBlob: async (type: 'data' | 'tree', id: BlobId) =>
      await repository.readBlob(type, id === lost ? parseBlobId('00'.repeat(32)) : id),
  };
  const items: readonly WalkItem[] = await Array.fromAsync(walkTree(reader, second.tree));
  const unreadable = items.filter(({ kind }) => kind === 'unreadable').map(({ path }) => path);
  assert.deepEqual(unreadable, ['/s/a/deep']);
  assert.ok(items.some(({ path }) => path === '/s/same/sub/y'));
  await assert.rejects(usedBlobs(reader, [second.tree], options), (error) => hasCode(error, 'blob-missing'));
});

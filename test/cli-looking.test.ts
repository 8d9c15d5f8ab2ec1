import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runProgram } from './support/run-program.ts';
import { scene, type Scene } from './support/scene.ts';

/** Two snapshots: the second with a file more, one changed, one gone, and a tag. */
async function twoSnapshots(): Promise<Scene & { readonly first: string; readonly second: string }> {
  const on = await scene();
  const first = await on.backup(on.source, '--time', '2026-08-01 10:00:00', '--host', 'one');
  appendFileSync(join(on.source, 'a.txt'), 'more\n');
  writeFileSync(join(on.source, 'new.txt'), 'new\n');
  rmSync(join(on.source, 'b.log'));
  const second = await on.backup(on.source, '--tag', 'later,kept', '--time', '2026-08-02 10:00:00', '--host', 'two');
  return Object.assign(on, { first, second });
}

async function ids(on: Scene, ...args: readonly string[]): Promise<readonly string[]> {
  return (await on.records('snapshots', ...args)).map(({ id }) => String(id));
}

test('snapshots lists all, or those of a host, a tag, a path, a name, and the latest of each', async () => {
  await using on = await twoSnapshots();
  const { first, second } = on;
  assert.deepEqual(await ids(on), [first, second]);
  assert.deepEqual(await ids(on, '--host', 'one'), [first]);
  assert.deepEqual(await ids(on, '-H', 'one', '-H', 'two'), [first, second]);
  assert.deepEqual(await ids(on, '--tag', 'later,kept'), [second]);
  assert.deepEqual(await ids(on, '--tag', ''), [first]);
  assert.deepEqual(await ids(on, '--path', on.source), [first, second]);
  assert.deepEqual(await ids(on, '--path', '/elsewhere'), []);
  assert.deepEqual(await ids(on, first.slice(0, 9)), [first]);
  assert.deepEqual(await ids(on, 'latest'), [second]);
  assert.deepEqual(await ids(on, '2026-08-01'), [first]);
  assert.deepEqual(await ids(on, '2026-08-02 09:00'), [first]);
  assert.deepEqual(await ids(on, '--latest', '1'), [first, second]);
  const third = await on.backup(on.source, '--host', 'two');
  assert.deepEqual(await ids(on, '--latest', '1'), [first, third]);
  assert.deepEqual(await ids(on, '--last'), [first, third]);
  const groups = await on.records('snapshots', '--group-by', 'host');
  assert.deepEqual(
    groups.map((group) => group['group_key']),
    [
      { hostname: 'one', paths: null, tags: null },
      { hostname: 'two', paths: null, tags: null },
    ],
  );
  const text = await on.ok('snapshots', '--group-by', 'host');
  assert.match(text, /^snapshots for host one:\nID +Time +Host +Tags +Paths +Size$/m);
  assert.match(await on.ok('snapshots', '--compact'), /^ID +Time +Host +Tags +Size$/m);
});

test('ls lists a snapshot, or folders of it, in any order', async () => {
  await using on = await twoSnapshots();
  const names = async (...args: readonly string[]): Promise<readonly string[]> =>
    (await on.ok('ls', ...args))
      .split('\n')
      .filter((line) => line.startsWith('/'))
      .map((line) => line.replace(`${on.source}/`, ''));
  assert.deepEqual(
    (await names('latest')).filter((name) => !name.startsWith('/')),
    ['a.txt', 'link', 'new.txt', 'same', 'sub', 'sub/c.txt'],
  );
  assert.deepEqual(await names('latest', `${on.source}/sub`), ['sub', 'sub/c.txt']);
  assert.ok(!(await names('latest', on.source)).includes('sub/c.txt'));
  assert.ok((await names('latest', on.source, '--recursive')).includes('sub/c.txt'));
  assert.deepEqual(await names(`latest:${on.source}/sub`), ['/c.txt']);
  const bySize = await names(
    'latest',
    `${on.source}/sub`,
    `${on.source}/a.txt`,
    `${on.source}/new.txt`,
    '--sort',
    'size',
    '--reverse',
  );
  assert.deepEqual(bySize, ['a.txt', 'sub/c.txt', 'new.txt', 'sub']);
  assert.deepEqual(await names('latest', `${on.source}/sub`, '--reverse'), ['sub/c.txt', 'sub']);
  for (const order of ['name', 'time', 'mtime', 'atime', 'ctime', 'extension'])
    assert.ok((await names('latest', '-s', order)).length > 6);
  assert.match(
    await on.ok('ls', '-l', 'latest', `${on.source}/sub`),
    /^-rw-r----- +\d+ +\d+ +5 \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \S+c\.txt$/m,
  );
  assert.match(await on.ok('ls', '-l', '--human-readable', on.first, `${on.source}/b.log`), / 1\.953 KiB /);
  assert.match(await on.ok('ls', '-l', 'latest', `${on.source}/link`), /^Lrwxrwxrwx .*link -> a\.txt$/m);
  assert.equal((await on.run(['ls', 'latest', 'relative'])).code, 2);
  assert.ok((await names('latest', '--host', 'one')).includes('b.log'));
});

test('find looks in all snapshots by name and time, and finds blobs, trees and packs', async () => {
  await using on = await twoSnapshots();
  const found = async (...args: readonly string[]): Promise<readonly (readonly [unknown, number])[]> =>
    (await on.records('find', ...args)).map(({ snapshot, matches }) => [
      snapshot,
      Array.isArray(matches) ? matches.length : -1,
    ]);
  const { first, second } = on;
  assert.deepEqual(await found('*.txt'), [
    [second, 3],
    [first, 2],
  ]);
  assert.deepEqual(await found('*.txt', '--reverse'), [
    [first, 2],
    [second, 3],
  ]);
  assert.deepEqual(await found('b.log', 'new.txt'), [
    [second, 1],
    [first, 1],
  ]);
  assert.deepEqual(await found('A.TXT'), []);
  assert.deepEqual(await found('-i', 'A.TXT'), [
    [second, 1],
    [first, 1],
  ]);
  assert.deepEqual(await found('a.txt', '--snapshot', first), [[first, 1]]);
  assert.deepEqual(await found('a.txt', '--host', 'two'), [[second, 1]]);
  assert.deepEqual(await found('a.txt', '--tag', 'kept'), [[second, 1]]);
  assert.deepEqual(await found('a.txt', '--oldest', '2020-01-01', '--newest', '2020-12-31 23:59:59'), []);
  assert.deepEqual(await found('a.txt', '-O', '2020-01-01'), [
    [second, 1],
    [first, 1],
  ]);
  assert.equal((await on.run(['find', 'x', '--oldest', '2021-01-01', '--newest', '2020-01-01'])).code, 2);
  assert.equal((await on.run(['find', 'x', '--oldest', 'soon'])).code, 2);
  assert.match(await on.ok('find', '-l', 'new.txt'), /^-rw-\S+ .*new\.txt$/m);
  const [blob = ''] = (await on.ok('list', 'blobs')).match(/(?<=data )\w+/) ?? [];
  assert.equal((await on.records('find', '--blob', blob.slice(0, 8)))[0]?.['id'], blob);
  const tree = String((await on.records('snapshots', first))[0]?.['tree']);
  assert.deepEqual(
    (await on.records('find', '--tree', tree)).map((one) => [one['path'], one['snapshot']]),
    [['/', first]],
  );
  const [pack = ''] = (await on.ok('list', 'packs')).split('\n');
  assert.ok((await on.records('find', '--pack', pack)).length > 0);
  assert.match(await on.ok('find', '--blob', blob, '--show-pack-id'), /Object belongs to pack \w{64}/);
  assert.equal((await on.run(['find', '--blob', '--tree', blob])).code, 2);
});

test('diff marks what was added, removed and changed, with metadata when asked', async () => {
  await using on = await twoSnapshots();
  const lines = async (...args: readonly string[]): Promise<readonly string[]> =>
    (await on.ok('diff', ...args))
      .split('\n')
      .filter((line) => /^[+\-MUT?]+ +\//.test(line))
      .map((line) => line.replace(`${on.source}/`, '').replaceAll(/ +/g, ' '));
  assert.deepEqual(await lines(on.first, on.second), ['M a.txt', '- b.log', '+ new.txt', 'M same']);
  assert.deepEqual(await lines(`${on.first}:${on.source}`, `latest:${on.source}`), [
    'M /a.txt',
    '- /b.log',
    '+ /new.txt',
    'M /same',
  ]);
  assert.ok((await lines(on.first, on.second, '--metadata')).some((line) => line.startsWith('U ')));
  assert.match(await on.ok('diff', on.first, on.second), /^Files: +1 new, +1 removed, +2 changed$/m);
});

test('dump gives a file, or a folder as tar or zip, to standard output or into a file', async () => {
  await using on = await twoSnapshots();
  assert.equal(await on.ok('dump', 'latest', `${on.source}/a.txt`), 'first\nmore\n');
  assert.equal(await on.ok('dump', on.first, `${on.source}/a.txt`), 'first\n');
  assert.equal(await on.ok('dump', `latest:${on.source}`, 'sub/c.txt'), 'deep\n');
  await on.ok('dump', 'latest', `${on.source}/a.txt`, '--target', on.dir.file('file'));
  assert.equal(readFileSync(on.dir.file('file'), 'utf8'), 'first\nmore\n');
  await on.ok('dump', `latest:${on.source}`, '/', '-a', 'tar', '-t', on.dir.file('all.tar'));
  const tar = await runProgram('tar', ['tf', on.dir.file('all.tar')]);
  assert.deepEqual(tar.stdout.toString().trim().split('\n').toSorted(), [
    'a.txt',
    'link',
    'new.txt',
    'same',
    'sub/',
    'sub/c.txt',
  ]);
  await on.ok('dump', 'latest', on.source, '--archive', 'zip', '--target', on.dir.file('all.zip'));
  assert.equal(readFileSync(on.dir.file('all.zip')).subarray(0, 2).toString(), 'PK');
  const missing = await on.run(['dump', 'latest', '/nothing/here']);
  assert.deepEqual([missing.code, missing.stdout.length], [1, 0]);
});

import assert from 'node:assert/strict';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { differences, inventoryOf } from '../scripts/first-backup/inventory.ts';
import { scene, type Scene } from './support/scene.ts';

/** A scene with one snapshot, and a way to restore its source into a folder of that name. */
async function stored(): Promise<
  Scene & { readonly into: (folder: string, ...args: readonly string[]) => Promise<readonly string[]> }
> {
  const on = await scene();
  await on.ok('backup', on.source);
  const into = async (folder: string, ...args: readonly string[]): Promise<readonly string[]> => {
    await on.ok('restore', `latest:${on.source}`, '--target', on.dir.file(folder), ...args);
    return existsSync(on.dir.file(folder))
      ? readdirSync(on.dir.file(folder), { recursive: true, encoding: 'utf8' }).toSorted()
      : [];
  };
  return Object.assign(on, { into });
}

const everything = ['a.txt', 'b.log', 'link', 'same', 'sub', 'sub/c.txt'];

test('restore latest --target DIR brings everything back, hard links and links among it', async () => {
  await using on = await stored();
  const wanted = inventoryOf(on.source);
  await on.ok('restore', 'latest', '--target', on.dir.file('whole'));
  assert.deepEqual(differences(wanted, inventoryOf(join(on.dir.file('whole'), on.source))), []);
  assert.equal((await on.run(['restore', 'latest'])).code, 2, 'a target is needed');
  assert.equal((await on.run(['restore', 'latest', '--target', on.dir.file('x'), '--tag', 'none'])).code, 1);
});

test('--include and --exclude, with case ignored or from files, say what is restored', async () => {
  await using on = await stored();
  writeFileSync(on.dir.file('patterns'), '# these\nC.TXT\nb.log\n');
  const file = on.dir.file('patterns');
  assert.deepEqual(await on.into('1', '--include', '*.txt'), ['a.txt', 'sub', 'sub/c.txt']);
  assert.deepEqual(await on.into('2', '-i', '/sub'), ['sub', 'sub/c.txt']);
  assert.deepEqual(await on.into('3', '--iinclude', 'A.TXT'), ['a.txt']);
  assert.deepEqual(await on.into('4', '--include-file', file), ['b.log']);
  assert.deepEqual(await on.into('5', '--iinclude-file', file), ['b.log', 'sub', 'sub/c.txt']);
  assert.deepEqual(await on.into('6', '--exclude', '*.txt'), ['b.log', 'link', 'same', 'sub']);
  assert.deepEqual(await on.into('7', '-e', '/sub', '--iexclude', 'LINK'), ['a.txt', 'b.log', 'same']);
  assert.deepEqual(await on.into('8', '--exclude-file', file), ['a.txt', 'link', 'same', 'sub', 'sub/c.txt']);
  assert.deepEqual(await on.into('9', '--iexclude-file', file), ['a.txt', 'link', 'same', 'sub']);
  const both = await on.run(['restore', 'latest', '--target', on.dir.file('x'), '-i', 'a', '-e', 'b']);
  assert.equal(both.code, 2);
});

test('--delete removes what the snapshot does not hold, and only with it', async () => {
  await using on = await stored();
  await on.into('out');
  mkdirSync(on.dir.file('out/extra'));
  writeFileSync(on.dir.file('out/extra/file'), 'x');
  assert.ok((await on.into('out')).includes('extra/file'));
  assert.match(
    await on.ok('restore', `latest:${on.source}`, '--target', on.dir.file('out'), '--delete', '--dry-run', '-vv'),
    /^deleted +\S*extra/m,
  );
  assert.ok(existsSync(on.dir.file('out/extra/file')), 'a dry run removes nothing');
  assert.deepEqual(await on.into('out', '--delete'), everything);
});

test('--overwrite always, if-changed, if-newer and never', async () => {
  await using on = await stored();
  const file = on.dir.file('out/b.log');
  const original = readFileSync(join(on.source, 'b.log'), 'utf8');
  const wholeSecond = 1_700_000_000;
  utimesSync(join(on.source, 'b.log'), wholeSecond, wholeSecond);
  await on.ok('backup', on.source);
  const after = async (overwrite: string, change: () => void): Promise<string> => {
    change();
    await on.into('out', '--overwrite', overwrite);
    return readFileSync(file, 'utf8');
  };
  const sameTime = (): void => {
    writeFileSync(file, 'x'.repeat(original.length));
    utimesSync(file, wholeSecond, wholeSecond);
  };
  const newer = (): void => writeFileSync(file, 'newer');
  const older = (): void => {
    writeFileSync(file, 'older');
    utimesSync(file, 1, 1);
  };
  await on.into('out');
  assert.equal(await after('always', newer), original);
  assert.equal(await after('never', newer), 'newer');
  assert.equal(await after('if-newer', newer), 'newer');
  assert.equal(await after('if-newer', older), original);
  assert.equal(await after('if-changed', newer), original);
  assert.notEqual(await after('if-changed', sameTime), original, 'same size and time: taken for unchanged');
});

test('--dry-run writes nothing, --verify reads back what was written', async () => {
  await using on = await stored();
  assert.deepEqual(await on.into('dry', '--dry-run'), []);
  const verified = await on.ok('restore', 'latest', '--target', on.dir.file('checked'), '--verify');
  assert.match(verified, /read back and found right: 4 files/);
  assert.equal((await on.run(['restore', 'latest', '--target', '/x', '--dry-run', '--verify'])).code, 2);
});

test('--sparse leaves holes where a file holds zeros', async () => {
  await using on = await stored();
  const size = 8 * 2 ** 20;
  writeFileSync(join(on.source, 'disk'), 'start');
  truncateSync(join(on.source, 'disk'), size);
  await on.ok('backup', on.source);
  await on.into('sparse', '--sparse');
  await on.into('dense');
  const [sparse, dense] = ['sparse/disk', 'dense/disk'].map((name) => statSync(on.dir.file(name)));
  assert.deepEqual([sparse?.size, dense?.size], [size, size]);
  assert.ok((sparse?.blocks ?? 0) * 512 < size / 4);
  assert.ok((dense?.blocks ?? 0) * 512 >= size);
});

test('a link put in the way is replaced, never followed', async () => {
  await using on = await stored();
  mkdirSync(on.dir.file('outside'));
  mkdirSync(on.dir.file('out'));
  symlinkSync(on.dir.file('outside'), on.dir.file('out/sub'));
  assert.deepEqual(await on.into('out'), everything);
  assert.ok(lstatSync(on.dir.file('out/sub')).isDirectory());
  assert.deepEqual(readdirSync(on.dir.file('outside')), []);
});

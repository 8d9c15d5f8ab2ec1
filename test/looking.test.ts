import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { after, before, test } from 'node:test';
import { openLocal } from '../src/storage/local.ts';
import { absent } from './absences.ts';
import { resticOk, withoutRestic } from './servers/restic.ts';
import { holdfastProgram, servedHoldfast, servedOk, type RepositoryAt } from './support/holdfast.ts';
import { newRepository, testPassword } from './support/repository.ts';
import { runOk, runProgram } from './support/run-program.ts';
import { makeSpecimens } from './support/specimens.ts';
import { tempDir, type TempDir } from './support/temp-dir.ts';

/**
 * What the commands that only look print, beside restic on the same repository: equal JSON values, in the same order,
 * and equal lines where the text is restic's. Nothing here depends on the moment, so equal means equal.
 */
const skip = withoutRestic('0.19.1');

let dir: TempDir;
let at: RepositoryAt;
/** Of the two snapshots, older first. */
let ids: readonly string[] = [];
/** IDs of a blob that two files have, of a folder's tree, and of the blob's pack. */
const objects = { blob: '', tree: '', dataPack: '' };

before(async () => {
  dir = await tempDir();
  if (skip !== false) return;
  at = { repository: dir.file('repository'), password: testPassword };
  const storage = await openLocal(at.repository, { create: true });
  await using _made = await newRepository(storage);
  await makeFirst(dir.file('s'));
  // Which only root can read.
  const exclude = ['--exclude', 'mode-0'];
  await theirs('backup', 's', '--tag', 'first', ...exclude);
  change(dir.file('s'));
  await theirs('backup', 's', '--host', 'elsewhere', ...exclude);
  ids = records(await theirs('snapshots', '--json')).flatMap((list) =>
    Array.isArray(list) ? list.map((one: { readonly id: string }) => one.id) : [],
  );
  await findObjects();
});

after(async () => await dir[Symbol.asyncDispose]());

async function makeFirst(folder: string): Promise<void> {
  fs.mkdirSync(`${folder}/plain/deep/deeper`, { recursive: true });
  fs.mkdirSync(`${folder}/odd`);
  await makeSpecimens(`${folder}/odd`);
  fs.writeFileSync(`${folder}/plain/numbers.txt`, Array.from({ length: 400_000 }, (_, n) => `${n}\n`).join(''));
  fs.writeFileSync(`${folder}/plain/copy.txt`, 'twice');
  fs.writeFileSync(`${folder}/plain/deep/COPY.TXT`, 'twice');
  fs.writeFileSync(`${folder}/plain/deep/deeper/a.tar.gz`, Buffer.alloc(70_000, 'gz'));
  fs.writeFileSync(`${folder}/plain/gone`, 'gone later');
  fs.symlinkSync('../numbers.txt', `${folder}/plain/deep/link`);
  fs.linkSync(`${folder}/plain/numbers.txt`, `${folder}/plain/second name`);
  wholeSeconds(`${folder}/plain`);
}

/** So that also archives which round times hold them. */
function wholeSeconds(folder: string): void {
  const names = fs.readdirSync(folder, { recursive: true }).map((name) => `${folder}/${String(name)}`);
  for (const [n, path] of names.toSorted().entries()) fs.lutimesSync(path, 1_700_000_000 + n, 1_600_000_000 + n * 60);
}

function change(folder: string): void {
  fs.appendFileSync(`${folder}/plain/numbers.txt`, 'and more\n');
  fs.rmSync(`${folder}/plain/gone`);
  fs.chmodSync(`${folder}/plain/copy.txt`, 0o600);
  fs.rmSync(`${folder}/plain/deep/link`);
  fs.mkdirSync(`${folder}/plain/deep/link`);
  fs.writeFileSync(`${folder}/plain/deep/link/new`, 'new');
  wholeSeconds(`${folder}/plain`);
}

async function findObjects(): Promise<void> {
  objects.blob = sha256('twice');
  const tarBlob = sha256(Buffer.alloc(70_000, 'gz'));
  objects.tree = /"parent_tree":"(\w+)"/.exec(await theirs('find', '--json', '--blob', tarBlob))?.[1] ?? '';
  objects.dataPack = /pack (\w{64})/.exec(await theirs('find', '--show-pack-id', '--blob', objects.blob))?.[1] ?? '';
}

function sha256(bytes: string | Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function theirs(...args: readonly string[]): Promise<string> {
  return await resticOk('0.19.1', at, args, { cwd: dir.path });
}

async function ours(...args: readonly string[]): Promise<string> {
  return await servedOk(at, args, { cwd: dir.path });
}

function records(output: string): readonly unknown[] {
  return output
    .trimEnd()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
}

async function sameRecords(...args: readonly string[]): Promise<readonly unknown[]> {
  const [mine, their] = await Promise.all([ours('--json', ...args), theirs('--json', ...args)]);
  assert.deepEqual(records(mine), records(their), args.join(' '));
  return records(mine);
}

async function sameText(...args: readonly string[]): Promise<string> {
  const [mine, their] = await Promise.all([ours(...args), theirs(...args)]);
  assert.equal(mine, their, args.join(' '));
  assert.notEqual(mine, '', args.join(' '));
  return mine;
}

test('snapshots --json lists what restic lists: all, named, filtered, the latest, in groups', { skip }, async () => {
  await sameRecords('snapshots');
  await sameRecords('snapshots', ids[0]?.slice(0, 6) ?? '');
  for (const filter of [
    ['--tag', 'first'],
    ['--host', 'nobody'],
    ['--path', dir.file('s')],
    ['--latest', '1'],
    // One group: restic gives several in no order.
    ['--group-by', 'paths'],
  ])
    await sameRecords('snapshots', ...filter);
});

test(
  'ls --json lists what restic lists: everything, folders, what is below them, a folder of the name',
  { skip },
  async () => {
    assert.ok((await sameRecords('ls', 'latest')).length > 40);
    await sameRecords('ls', ids[0] ?? '', '/s/plain');
    await sameRecords('ls', '--recursive', 'latest', '/s/plain/deep', '/s/odd/folder');
    await sameRecords('ls', 'latest:/s/plain', '/deep');
    await sameRecords('ls', '--tag', 'first', 'latest', '/');
    assert.equal((await sameRecords('ls', 'latest', '/not/there')).length, 1);
  },
);

test('ls sorts as restic sorts', { skip }, async () => {
  for (const by of ['size', 'time', 'atime', 'ctime', 'extension']) await sameRecords('ls', 'latest', '--sort', by);
  await sameRecords('ls', 'latest', '--reverse');
  await sameRecords('ls', 'latest', '--reverse', '--sort', 'extension');
});

test('ls prints the lines that restic prints, long and with units', { skip }, async () => {
  for (const flags of [[], ['-l', '--human-readable'], ['--sort', 'mtime', '-l']])
    await sameText('ls', '-q', ...flags, 'latest:/s/plain');
});

test('ls --ncdu exports what restic exports', { skip }, async () => {
  for (const folders of [[], ['/s/plain/deep', '/s/odd']]) {
    const [mine, their] = await Promise.all([
      ours('ls', '--ncdu', 'latest', ...folders),
      theirs('ls', '--ncdu', 'latest', ...folders),
    ]);
    assert.deepEqual(JSON.parse(mine), JSON.parse(their));
  }
  await sameText('ls', '--ncdu', 'latest:/s/plain');
});

test('find --json finds what restic finds, by name, case, time and snapshot', { skip }, async () => {
  const queries = [
    ['*.txt'],
    ['-i', '*.txt', 'LINK'],
    ['/s/odd'],
    ['plain/deep/*'],
    ['*', '--oldest', '2020-09-13 12:00', '--newest', '2020-12-01'],
    ['*', '-O', '2030-01-01'],
    ['*.txt', '-N', '2020-09-13 12:28:00 UTC'],
    ['--reverse', 'numbers.txt'],
    ['-s', 'latest', 'numbers.txt'],
    ['--host', 'elsewhere', 'numbers.txt'],
    ['--tag', 'first', 'gone', 'new'],
    ['nothing-has-this-name'],
  ];
  for (const query of queries) await sameRecords('find', ...query);
});

test('find says where blobs, trees and packs are used, as restic does', { skip }, async () => {
  const { blob, tree, dataPack } = objects;
  assert.ok([blob, tree, dataPack].every((id) => id.length === 64));
  for (const [kind, ids] of [
    ['--blob', [blob, blob.slice(0, 8), 'ffffffff']],
    ['--tree', [tree, tree.slice(0, 8)]],
    ['--pack', [dataPack, dataPack.slice(0, 8)]],
  ] as const) {
    for (const id of ids) await sameRecords('find', kind, id);
  }
  await sameText('find', '--blob', blob);
  await sameText('find', '--tree', tree);
  await sameText('find', '--show-pack-id', '--blob', blob);
  await sameText('find', '--show-pack-id', '--tree', tree);
});

test('find says who needs a blob that is lost', { skip }, async () => {
  const copy = { ...at, repository: dir.file('damaged') };
  fs.cpSync(at.repository, copy.repository, { recursive: true });
  fs.rmSync(`${copy.repository}/data/${objects.dataPack.slice(0, 2)}/${objects.dataPack}`);
  await resticOk('0.19.1', copy, ['repair', 'index']);
  const args = ['find', '--json', '--blob', objects.blob];
  const found = records(await servedOk(copy, args));
  assert.deepEqual(found, records(await resticOk('0.19.1', copy, args)));
  assert.notDeepEqual(found, [[]]);
  assert.match(await servedOk(copy, ['find', '--show-pack-id', ...args.slice(2)]), /not found in the index/);
});

test('find prints the lines that restic prints', { skip }, async () => {
  for (const flags of [['-l'], ['-l', '--human-readable', '-R'], ['-q']]) await sameText('find', '*.txt', ...flags);
});

test('diff tells what restic tells', { skip }, async () => {
  const [before = '', afterwards = ''] = ids;
  assert.ok((await sameRecords('diff', before, afterwards)).length > 4);
  await sameRecords('diff', '--metadata', before, afterwards);
  await sameRecords('diff', afterwards, before);
  await sameRecords('diff', '--quiet', before, afterwards);
  await sameRecords('diff', `${before}:/s/plain/deep`, `${afterwards}:/s/plain/deep`);
  await sameRecords('diff', before, before);
  await sameText('diff', before, afterwards);
  await sameText('diff', '--metadata', before, afterwards);
});

test('stats counts what restic counts, in each mode', { skip }, async () => {
  for (const mode of ['restore-size', 'files-by-contents', 'blobs-per-file', 'raw-data']) {
    await sameRecords('stats', '--mode', mode);
    const [mine, their] = await Promise.all([ours('stats', '--mode', mode), theirs('stats', '--mode', mode)]);
    assert.ok(their.replaceAll(/ +$/gm, '').endsWith(mine), `${their}\nshould end with\n${mine}`);
  }
  await sameRecords('stats', '--mode', 'blobs-per-file', '--tag', 'first');
  await sameRecords('stats', '--mode', 'raw-data', 'latest');
  await sameRecords('stats', '--host', 'nobody');
});

test('dump prints a file as restic does, or writes it to a target', { skip }, async () => {
  await sameText('dump', 'latest', '/s/plain/numbers.txt');
  await sameText('dump', 'latest:s/plain', 'deep/../copy.txt');
  assert.equal(await ours('dump', ids[0] ?? '', '/s/plain/gone', '--target', dir.file('dumped')), '');
  assert.equal(fs.readFileSync(dir.file('dumped'), 'utf8'), 'gone later');
});

test(
  'dump leaves the file that stands at its target when it fails before the first byte, and says why',
  { skip },
  async () => {
    fs.writeFileSync(dir.file('kept'), 'kept');
    const refused = async (...args: readonly string[]): Promise<unknown> => {
      const { code, stderr } = await servedHoldfast(at, ['--json', 'dump', ...args]);
      assert.equal(code, 1);
      return (JSON.parse(stderr) as { readonly error_code: unknown }).error_code;
    };
    assert.equal(await refused('latest', '/s/not-there', '-t', dir.file('kept')), 'path-not-found');
    assert.equal(fs.readFileSync(dir.file('kept'), 'utf8'), 'kept');
    assert.equal(await refused('latest', '/s', '-t', dir.file('no-such-folder', 'file')), 'refused');
    assert.equal(await ours('dump', 'latest', '/s/plain', '-t', '/dev/null'), '');
  },
);

test('what only prints ends without a word when nobody reads on', { skip }, async () => {
  const env = { RESTIC_REPOSITORY: at.repository, RESTIC_PASSWORD: at.password };
  const line = '"$0" --no-cache dump latest /s/plain/numbers.txt | head -c 4';
  const { stdout, stderr } = await runProgram('sh', ['-c', line, holdfastProgram], { env });
  assert.equal(stdout.toString(), '0\n1\n');
  assert.equal(stderr, '');
});

/** What an archive holds, told by a program that is neither restic nor Holdfast. */
async function tarListing(archive: string): Promise<string> {
  return (await runOk('tar', ['--numeric-owner', '--full-time', '-tvf', archive])).toString();
}

async function dumpsOf(name: string, ...args: readonly string[]): Promise<readonly [string, string]> {
  await ours('dump', ...args, '-t', dir.file(`ours-${name}`));
  await theirs('dump', ...args, '-t', dir.file(`theirs-${name}`));
  return [dir.file(`ours-${name}`), dir.file(`theirs-${name}`)];
}

test('dump makes a tar of a folder with the members and bytes of restic’s', { skip }, async () => {
  for (const [name, snapshot, path] of [
    ['whole.tar', 'latest:/s/plain', '/'],
    ['folder.tar', 'latest', '/s/plain/deep'],
  ] as const) {
    const [mine, their] = await dumpsOf(name, snapshot, path);
    assert.equal(await tarListing(mine), await tarListing(their));
    const content = async (archive: string): Promise<Buffer> => await runOk('tar', ['-xOf', archive]);
    assert.deepEqual(await content(mine), await content(their));
  }
});

const withoutPython = spawnSync('python3', ['--version']).status === 0 ? false : absent('python');

test(
  'dump --archive zip makes a zip with the members and bytes of restic’s',
  { skip: skip || withoutPython },
  async () => {
    const script = [
      'import sys, zipfile',
      'for i in zipfile.ZipFile(sys.argv[1]).infolist():',
      '  print(i.filename, i.date_time, i.external_attr, i.file_size, i.CRC)',
    ].join('\n');
    const [mine, their] = await dumpsOf('folder.zip', '-a', 'zip', 'latest', '/s/plain');
    const listing = async (archive: string): Promise<string> =>
      (await runOk('python3', ['-c', script, archive])).toString();
    assert.equal(await listing(mine), await listing(their));
    assert.match(await listing(mine), /s\/plain\/numbers.txt/);
  },
);

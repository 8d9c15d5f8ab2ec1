import assert from 'node:assert/strict';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { holdfastProgram } from './support/holdfast.ts';
import { runProgram } from './support/run-program.ts';
import { jsonLines, scene, type JsonRecord, type Scene } from './support/scene.ts';

/** What the last backup said of itself. */
async function summary(on: Scene, ...args: readonly string[]): Promise<JsonRecord> {
  const records = await on.records('backup', ...args);
  return records.findLast((one) => one['message_type'] === 'summary') ?? {};
}

async function snapshotOf(on: Scene, id: string): Promise<JsonRecord> {
  const [snapshot] = await on.records('snapshots', id);
  assert.ok(snapshot !== undefined);
  return snapshot;
}

const everything = ['a.txt', 'b.log', 'link', 'same', 'sub', 'sub/c.txt'];

test('backup PATH… stores every file, and a second one only what changed', async () => {
  await using on = await scene();
  assert.deepEqual(await on.listed(await on.backup(on.source)), everything);
  appendFileSync(join(on.source, 'sub/c.txt'), 'more\n');
  const { files_new: added, files_changed: changed, files_unmodified: same } = await summary(on, on.source);
  assert.deepEqual([added, changed, same], [0, 1, 3]);
  assert.match(await on.ok('backup', `${on.source}/a.txt`, `${on.source}/sub`), /processed 2 files/);
});

test('names are left out by pattern, case-insensitive pattern and files of patterns', async () => {
  await using on = await scene();
  writeFileSync(on.dir.file('patterns'), '# what is not wanted\n\n*.log\n$UNWANTED\n');
  const cases: readonly (readonly [args: readonly string[], missing: readonly string[]])[] = [
    [
      ['--exclude', '*.txt'],
      ['a.txt', 'sub/c.txt'],
    ],
    [
      ['-e', 'sub'],
      ['sub', 'sub/c.txt'],
    ],
    [['--iexclude', 'A.TXT'], ['a.txt']],
    [
      ['--iexclude', '*.LOG', '-e', 'link'],
      ['b.log', 'link'],
    ],
    [['-e', '*.txt', '-e', '!c.txt'], ['a.txt']],
  ];
  for (const [args, missing] of cases) {
    const listed = await on.listed(await on.backup(on.source, ...args));
    assert.deepEqual(
      listed,
      everything.filter((name) => !missing.includes(name)),
      args.join(' '),
    );
  }
  for (const [flag, missing] of [
    ['--exclude-file', ['b.log', 'same']],
    ['--iexclude-file', ['b.log', 'same']],
  ] as const) {
    const { code } = await on.run(['backup', on.source, flag, on.dir.file('patterns')], { env: { UNWANTED: 'same' } });
    assert.equal(code, 0);
    assert.deepEqual(
      await on.listed('latest'),
      everything.filter((name) => !missing.some((one) => one === name)),
      flag,
    );
  }
  assert.deepEqual((await snapshotOf(on, await on.backup(on.source, '-e', '*.x')))['excludes'], ['*.x']);
});

test('folders are left out by a file in them, by their size, and where they are caches', async () => {
  await using on = await scene();
  writeFileSync(join(on.source, 'sub/.nobackup'), 'yes, really');
  assert.deepEqual(await on.listed(await on.backup(on.source, '--exclude-if-present', '.nobackup')), [
    ...everything.slice(0, 5),
    'sub/.nobackup',
  ]);
  assert.ok(
    (await on.listed(await on.backup(on.source, '--exclude-if-present', '.nobackup:no'))).includes('sub/c.txt'),
  );
  assert.ok(
    !(await on.listed(await on.backup(on.source, '--exclude-if-present', '.nobackup:yes'))).includes('sub/c.txt'),
  );
  assert.ok(!(await on.listed(await on.backup(on.source, '--exclude-larger-than', '1K'))).includes('b.log'));
  assert.ok((await on.listed(await on.backup(on.source, '--exclude-larger-than', '1M'))).includes('b.log'));
  writeFileSync(join(on.source, 'sub/CACHEDIR.TAG'), 'Signature: 8a477f597d28d172789f06886806bc55\n');
  assert.ok(!(await on.listed(await on.backup(on.source, '--exclude-caches'))).includes('sub/c.txt'));
});

test('--one-file-system stays on the file system of the target', async () => {
  await using on = await scene();
  const listed = async (...args: readonly string[]): Promise<number> =>
    (await on.records('ls', await on.backup('/dev', '--exclude', '/dev/pts/*', ...args))).filter(
      ({ path }) => String(path).startsWith('/dev/shm/') || String(path).startsWith('/dev/mqueue/'),
    ).length;
  assert.equal(await listed('-x'), 0);
  assert.equal(await listed('--one-file-system'), 0);
});

test('targets come from files: as patterns, verbatim, and ended by zero bytes', async () => {
  await using on = await scene();
  const list = (content: string): string => {
    writeFileSync(on.dir.file('list'), content);
    return on.dir.file('list');
  };
  const back = async (...args: readonly string[]): Promise<readonly string[]> =>
    await on.listed(await on.backup(...args));
  assert.deepEqual(await back('--files-from', list(`# names\n${on.source}/*.txt\n\n${on.source}/sub\n`)), [
    'a.txt',
    'sub',
    'sub/c.txt',
  ]);
  writeFileSync(join(on.source, '*.txt'), 'a star');
  assert.deepEqual(await back('--files-from-verbatim', list(`${on.source}/*.txt\n`)), ['*.txt']);
  assert.deepEqual(
    await back('--files-from-raw', list(`${on.source}/*.txt\0${on.source}/b.log\0`), join(on.source, 'link')),
    ['*.txt', 'b.log', 'link'],
  );
  const { code } = await on.run(['backup', '--files-from', '-'], { input: `${on.source}/b.log\n` });
  assert.equal(code, 0);
  assert.deepEqual(await on.listed('latest'), ['b.log']);
});

test('the snapshot says what --tag, --host, RESTIC_HOST and --time say', async () => {
  await using on = await scene();
  const id = await on.backup(
    on.source,
    '--tag',
    'one,two',
    '--tag',
    'three',
    '-H',
    'elsewhere',
    '--time',
    '2026-08-01 14:00:00',
  );
  const { tags, hostname, time } = await snapshotOf(on, id);
  assert.deepEqual([tags, hostname], [['one', 'two', 'three'], 'elsewhere']);
  assert.match(String(time), /^2026-08-01T14:00:00/);
  await on.run(['backup', on.source], { env: { RESTIC_HOST: 'variable' } });
  assert.equal((await on.records('snapshots', '--host', 'variable')).length, 1);
  assert.equal(
    (await on.run(['snapshots', '--json'], { env: { RESTIC_HOST: 'variable' } })).stdout.toString().match(/short_id/g)
      ?.length,
    1,
  );
  assert.equal((await on.run(['backup', on.source, '--time', 'noon'])).code, 2);
});

test('the parent is the latest of the group, the one named, or none', async () => {
  await using on = await scene();
  const first = await on.backup(on.source, '--tag', 'x');
  const second = await on.backup(on.source, '--tag', 'y');
  const parentOf = async (...args: readonly string[]): Promise<unknown> =>
    (await snapshotOf(on, await on.backup(on.source, ...args)))['parent'];
  assert.equal(await parentOf('--parent', first.slice(0, 10)), first);
  assert.equal(await parentOf('--group-by', 'tags', '--tag', 'y'), second);
  assert.equal(await parentOf('--host', 'another'), undefined);
  assert.equal(await parentOf('--force'), undefined);
  assert.equal((await summary(on, on.source, '--force'))['files_new'], 4, 'every file is read');
  assert.equal((await on.run(['backup', on.source, '--parent', 'ffffffff'])).code, 1);
});

test('--ignore-ctime, --ignore-inode and their variables say what counts as a change', async () => {
  await using on = await scene();
  const file = join(on.source, 'sub/c.txt');
  const replaced = (): void => {
    const { atime, mtime, mode } = statSync(file);
    writeFileSync(`${file}.new`, readFileSync(file), { mode });
    renameSync(`${file}.new`, file);
    utimesSync(file, atime, mtime);
  };
  await on.ok('backup', on.source);
  const changed = async (
    change: () => void,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<number> => {
    change();
    const { stdout } = await on.run(['--json', 'backup', on.source, ...args], { env });
    return Number(/"files_changed":(\d+)/.exec(stdout.toString())?.[1]);
  };
  const touched = (): void => chmodSync(file, 0o640);
  assert.equal(await changed(touched, []), 1);
  assert.equal(await changed(touched, ['--ignore-ctime']), 0);
  assert.equal(await changed(touched, [], { RESTIC_IGNORE_CTIME: 'true' }), 0);
  assert.equal(await changed(replaced, []), 1);
  assert.equal(await changed(replaced, ['--ignore-ctime']), 1, 'the inode is another');
  assert.equal(await changed(replaced, ['--ignore-inode']), 0);
  assert.equal(await changed(replaced, [], { RESTIC_IGNORE_INODE: 'true' }), 0);
});

test('--with-atime keeps times of access, --skip-if-unchanged writes no equal snapshot', async () => {
  await using on = await scene();
  utimesSync(join(on.source, 'b.log'), 1_600_000_000, 1_700_000_000);
  // By a relative path: an absolute one stores the folders above too, whose times others change.
  const stored = async (...args: readonly string[]): Promise<unknown> => {
    const { stdout } = await on.run(['--json', 'backup', 'source', ...args], { cwd: dirname(on.source) });
    return jsonLines(stdout.toString()).findLast((one) => one['message_type'] === 'summary')?.['snapshot_id'];
  };
  const atime = async (snapshot: unknown): Promise<unknown> =>
    (await on.records('ls', String(snapshot))).find(({ name }) => name === 'b.log')?.['atime'];
  assert.match(String(await atime(await stored())), /^2023-11-14/);
  assert.match(String(await atime(await stored('--with-atime'))), /^2020-09-13/);
  const before = (await on.records('snapshots')).length;
  assert.equal(await stored('--with-atime', '--skip-if-unchanged'), undefined);
  assert.equal((await on.records('snapshots')).length, before);
  assert.notEqual(await stored('--skip-if-unchanged'), undefined);
});

test('standard input and the output of a command are stored as a file', async () => {
  await using on = await scene();
  const stored = await on.run(['backup', '--stdin'], { input: 'from a pipe' });
  assert.equal(stored.code, 0);
  assert.equal(await on.ok('dump', 'latest', '/stdin'), 'from a pipe');
  assert.equal((await on.run(['backup', '--stdin', '--stdin-filename', 'a/b.sql'], { input: 'named' })).code, 0);
  assert.equal(await on.ok('dump', 'latest', 'a/b.sql'), 'named');
  await on.ok('backup', '--stdin-from-command', '--stdin-filename', 'echo', '--', 'echo', '-n', '--tag');
  assert.equal(await on.ok('dump', 'latest', '/echo'), '--tag');
  const before = (await on.records('snapshots')).length;
  const failed = await on.run(['backup', '--stdin-from-command', '--', 'sh', '-c', 'echo half; exit 3']);
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /exit code 3[\s\S]*No snapshot was written/);
  assert.equal((await on.records('snapshots')).length, before);
});

test('--dry-run stores nothing', async () => {
  await using on = await scene();
  const files = (): readonly string[] =>
    readdirSync(on.at.repository, { recursive: true, encoding: 'utf8' }).toSorted();
  const before = files();
  const text = await on.ok('backup', on.source, '--dry-run', '-vv');
  assert.match(text, /^new .*a\.txt/m);
  assert.match(text, /Would add to the repository/);
  assert.equal((await summary(on, on.source, '-n'))['dry_run'], true);
  assert.deepEqual(
    files().filter((name) => !name.startsWith('locks')),
    before.filter((name) => !name.startsWith('locks')),
  );
});

test('compression, pack size and extra verification are as the options and variables say', async () => {
  await using on = await scene();
  const letters = 'compressible '.repeat(200_000);
  const stored = async (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<number> => {
    writeFileSync(join(on.source, 'letters'), letters + JSON.stringify([args, env]));
    const { stdout, code } = await on.run(['--json', 'backup', ...args, join(on.source, 'letters')], { env });
    assert.equal(code, 0);
    return Number(/"data_added_packed":(\d+)/.exec(stdout.toString())?.[1]);
  };
  assert.ok((await stored([])) < 100_000);
  assert.ok((await stored(['--compression', 'off'])) > 2_000_000);
  assert.ok((await stored([], { RESTIC_COMPRESSION: 'off' })) > 2_000_000);
  assert.ok((await stored(['--compression', 'max'], { RESTIC_COMPRESSION: 'off' })) < 100_000);
  assert.ok((await stored(['--no-extra-verify', '--read-concurrency', '1'])) < 100_000);
  assert.ok((await stored([], { RESTIC_READ_CONCURRENCY: '4' })) < 100_000);
  mkdirSync(join(on.source, 'random'));
  for (let n = 0; n < 5; n += 1)
    writeFileSync(
      join(on.source, `random/${n}`),
      crypto
        .getRandomValues(new Uint8Array(2 ** 16))
        .toBase64()
        .repeat(1) + 'x',
    );
  assert.equal((await on.run(['backup', on.source, '--pack-size', '3'])).code, 2);
  assert.equal((await on.run(['backup', on.source, '--pack-size', '4'])).code, 0);
  assert.equal((await on.run(['backup', on.source], { env: { RESTIC_PACK_SIZE: '129' } })).code, 2);
});

test('names that are not UTF-8 are stored, named by an argument too', async () => {
  await using on = await scene();
  const name = Buffer.concat([Buffer.from(`${on.source}/n`), Buffer.from([0xff, 0xfe])]);
  writeFileSync(name, 'odd');
  const script = `exec "$0" --no-cache backup "$1"/n*`;
  const env = { RESTIC_REPOSITORY: on.at.repository, RESTIC_PASSWORD: on.at.password };
  const { code, stderr } = await runProgram('sh', ['-c', script, holdfastProgram, on.source], { env });
  assert.equal(code, 0, stderr);
  await on.ok('restore', `latest:${on.source}`, '--target', on.dir.file('out'));
  assert.deepEqual(
    readdirSync(on.dir.file('out'), { encoding: 'buffer' }).map((one) => one.toString('latin1')),
    ['n\xff\xfe'],
  );
});

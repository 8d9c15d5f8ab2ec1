import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { withoutRestic } from './servers/restic.ts';
import type { RepositoryAt } from './support/holdfast.ts';
import { isObject, jsonValues } from './support/json-shape.ts';
import type { RunOptions } from './support/run-program.ts';
import { tempDir, type TempDir } from './support/temp-dir.ts';
import { both, cheapRepository, expectExit, type OfBoth, type Tool } from './support/two-tools.ts';

const options = { skip: withoutRestic('0.19.1'), timeout: 300_000 };

/** Each tool has a repository of its own beside one tree, and the same flags must make the same snapshot. */
interface Bench {
  readonly dir: TempDir;
  readonly at: OfBoth<RepositoryAt>;
}

async function bench(dir: TempDir): Promise<Bench> {
  const files = ['a.txt', 'b.TXT', 'c.log', 'sub/a.txt', 'sub/deep/Keep.me', 'private/.nobackup', 'private/secret'];
  for (const folder of ['sub/deep', 'private', 'cache', 'empty'])
    mkdirSync(dir.file('tree', folder), { recursive: true });
  for (const name of files) writeFileSync(dir.file('tree', name), name);
  writeFileSync(dir.file('tree/cache/CACHEDIR.TAG'), 'Signature: 8a477f597d28d172789f06886806bc55\n');
  writeFileSync(dir.file('tree/cache/cached'), 'cached');
  writeFileSync(dir.file('tree/large'), Buffer.alloc(20_000, 'large '));
  symlinkSync('a.txt', dir.file('tree/link'));
  utimesSync(dir.file('tree/a.txt'), 1_000_000_000, 1_100_000_000);
  return { dir, at: await both(async (tool) => await cheapRepository(dir.file(tool))) };
}

/** What a backup with these flags leaves: its nodes, and what the snapshot says of itself. */
async function snapshotOf(tool: Tool, { dir, at }: Bench, args: readonly string[], run: RunOptions): Promise<unknown> {
  const inside = { cwd: dir.path, ...run };
  const { stdout } = await expectExit(0, tool, at[tool], ['backup', '--json', ...args], inside);
  const summary = jsonValues(stdout.toString()).findLast((one) => isObject(one) && one['message_type'] === 'summary');
  assert.ok(isObject(summary));
  // A skipped backup has none, and that of restic's dry runs is nobody's.
  const { snapshot_id: made, dry_run: dry } = summary;
  const id = typeof made === 'string' && dry !== true ? made : 'latest';
  const listed = await expectExit(0, tool, at[tool], ['ls', '--json', id], inside);
  return { counts: countsOf(summary), listed: jsonValues(listed.stdout.toString()).map(comparable) };
}

function countsOf(summary: Readonly<Record<string, unknown>>): unknown {
  const names = ['files_new', 'files_changed', 'files_unmodified', 'dirs_new', 'dirs_changed', 'dirs_unmodified'];
  return [...names, 'data_blobs', 'total_files_processed', 'total_bytes_processed'].map((name) => [
    name,
    summary[name],
  ]);
}

/** Without what is the program's own or that moment's. A node keeps everything. */
function comparable(record: unknown): unknown {
  if (!isObject(record) || record['message_type'] === 'node') return record;
  const { paths, hostname, username, tags, excludes, time, parent } = record;
  const named = typeof time === 'string' && time.startsWith('2001') ? time : undefined;
  return { paths, hostname, username, tags, excludes, time: named, hasParent: parent !== undefined };
}

interface Flags {
  readonly args: readonly string[];
  readonly run?: RunOptions;
}

async function assertSame(on: Bench, { args, run = {} }: Flags): Promise<void> {
  const made = await both(async (tool) => await snapshotOf(tool, on, args, run));
  assert.deepEqual(made.holdfast, made.restic, args.join(' '));
}

test('flags that leave things out leave out what restic leaves out', options, async () => {
  await using dir = await tempDir();
  const on = await bench(dir);
  writeFileSync(dir.file('patterns'), '# comment\n*.log\n\n!keep.log\ntree/sub\n$OUT\n');
  writeFileSync(dir.file('ipatterns'), 'A.TXT\n');
  const cases: readonly Flags[] = [
    { args: ['tree', '--exclude', '*.txt', '-e', '/tree/sub', '--exclude=sub/**/Keep.me'] },
    { args: ['tree', '-e', '*', '-e', '!tree', '-e', '!*.log'] },
    { args: ['tree', '--iexclude', '*.txt', '--iexclude', 'KEEP.*'] },
    { args: ['tree', '--exclude-file', 'patterns'], run: { env: { OUT: 'private' } } },
    { args: ['tree', '--iexclude-file', 'ipatterns'] },
    { args: ['tree', '--exclude-if-present', '.nobackup', '--exclude-caches'] },
    { args: ['tree', '--exclude-if-present', 'CACHEDIR.TAG:Signature', '--exclude-if-present', '.nobackup:other'] },
    { args: ['tree', '--exclude-larger-than', '10k'] },
    { args: ['tree', '--one-file-system', '-x'] },
  ];
  for (const flags of cases) await assertSame(on, flags);
});

test('lists of files name what they name to restic', options, async () => {
  await using dir = await tempDir();
  const on = await bench(dir);
  writeFileSync(dir.file('globs'), '# comment\ntree/*.txt\n  tree/sub  \n\n');
  writeFileSync(dir.file('verbatim'), 'tree/a.txt\ntree/empty\n');
  writeFileSync(dir.file('raw'), 'tree/c.log\0tree/sub/deep\0');
  const cases: readonly Flags[] = [
    { args: ['--files-from', 'globs'] },
    { args: ['--files-from', 'globs', 'tree/large'] },
    { args: ['--files-from-verbatim', 'verbatim'] },
    { args: ['--files-from-raw', 'raw', '--files-from-verbatim', 'verbatim'] },
    { args: ['--files-from', '-'], run: { input: 'tree/b.*\n' } },
  ];
  for (const flags of cases) await assertSame(on, flags);
});

test('what a snapshot says of itself is what restic’s would say', options, async () => {
  await using dir = await tempDir();
  const on = await bench(dir);
  const env = { TZ: 'America/New_York' };
  const cases: readonly Flags[] = [
    { args: ['tree', '--tag', 'one,two', '--tag', 'three', '--host', 'elsewhere'] },
    { args: ['tree', '-H', 'short', '--time', '2001-02-03 04:05:06'], run: { env } },
    { args: ['tree'], run: { env: { RESTIC_HOST: 'from-environment' } } },
    { args: ['tree', '--with-atime', '-H', 'atime'] },
    {
      args: ['--stdin', '--stdin-filename', 'folder/dump.sql', '--time', '2001-02-03 04:05:06'],
      run: { env, input: 'data' },
    },
    {
      args: ['--stdin-from-command', '-H', 'command', '--time', '2001-02-03 04:05:06', '--', 'echo', 'said'],
      run: { env },
    },
  ];
  for (const flags of cases) await assertSame(on, flags);
});

test('a parent decides what is read as it does for restic', options, async () => {
  await using dir = await tempDir();
  const on = await bench(dir);
  const host = ['-H', 'same'];
  const cases: readonly Flags[] = [
    { args: ['tree', ...host] },
    { args: ['tree', ...host, '--skip-if-unchanged'] },
    { args: ['tree', ...host, '--force'] },
    { args: ['tree', ...host, '-f', '--ignore-ctime', '--ignore-inode'] },
    { args: ['tree', '-H', 'other'] },
    { args: ['tree', ...host, '--parent', 'latest'] },
    { args: ['tree', '-H', 'fourth', '--group-by', 'paths'] },
    { args: ['tree', ...host, '--dry-run'] },
    { args: ['tree', ...host, '-n', '--read-concurrency', '1', '--no-scan'] },
  ];
  for (const flags of cases) await assertSame(on, flags);
  // A new ctime alone: read again, unless it is to be ignored.
  utimesSync(join(dir.path, 'tree/a.txt'), 1_000_000_000, 1_100_000_000);
  await assertSame(on, { args: ['tree', ...host, '--ignore-ctime', '--dry-run'] });
  await assertSame(on, { args: ['tree', ...host, '--ignore-inode', '--dry-run'] });
  await assertSame(on, { args: ['tree', ...host] });
  const counts = await both(
    async (tool) =>
      (await expectExit(0, tool, on.at[tool], ['list', 'snapshots'])).stdout.toString().trim().split('\n').length,
  );
  assert.equal(counts.holdfast, counts.restic, 'skipped and dry runs leave no snapshot');
});

test('flags of writing are taken, and the data reads back in restic', options, async () => {
  await using dir = await tempDir();
  const on = await bench(dir);
  const args = ['tree', '--compression', 'max', '--pack-size', '4', '--no-extra-verify', '--read-concurrency', '4'];
  await assertSame(on, { args });
  await assertSame(on, {
    args: ['tree', '-f'],
    run: { env: { RESTIC_COMPRESSION: 'off', RESTIC_PACK_SIZE: '8', RESTIC_READ_CONCURRENCY: '1' } },
  });
  await expectExit(0, 'restic', on.at.holdfast, ['check', '--read-data']);
  await expectExit(0, 'holdfast', on.at.restic, ['check', '--read-data']);
});

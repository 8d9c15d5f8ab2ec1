import assert from 'node:assert/strict';
import { appendFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runRestic, withoutRestic } from './servers/restic.ts';
import { servedHoldfast } from './support/holdfast.ts';
import { jsonLines, scene, type JsonRecord, type Scene } from './support/scene.ts';

/**
 * Both programs are run on the same repository, and each kind of record that restic prints must be printed by Holdfast
 * too, with every member that restic's has, of the same type. Members of our own may be added.
 */
const options = { skip: withoutRestic('0.19.1'), timeout: 300_000 };

/** Members that depend on how long something took. */
const timed = new Set([
  'seconds_elapsed',
  'seconds_remaining',
  'error_count',
  'current_files',
  'files_restored',
  'bytes_restored',
  'files_skipped',
  'bytes_skipped',
  'total_files',
  'files_done',
  'total_bytes',
  'bytes_done',
]);

/** By the records' kind: the types of each member. */
type Shapes = Map<string, Map<string, Set<string>>>;

function shapesOf(records: readonly JsonRecord[]): Shapes {
  const shapes: Shapes = new Map();
  for (const record of records)
    collect(shapes, typeof record['message_type'] === 'string' ? record['message_type'] : 'document', record);
  return shapes;
}

function collect(shapes: Shapes, kind: string, record: object): void {
  const members = shapes.get(kind) ?? new Map<string, Set<string>>();
  shapes.set(kind, members);
  for (const [name, value] of Object.entries(record)) {
    members.set(name, (members.get(name) ?? new Set()).add(typeOf(value)));
    const inner: readonly unknown[] = Array.isArray(value) ? value : [value];
    for (const item of inner) if (typeof item === 'object' && item !== null) collect(shapes, `${kind}.${name}`, item);
  }
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value) ? 'time' : typeof value;
}

function differences(theirs: Shapes, ours: Shapes): readonly string[] {
  return [...theirs].flatMap(([kind, members]) => {
    const found = ours.get(kind);
    if (found === undefined) return [`no ${kind}`];
    return [...members].flatMap(([name, types]) => {
      const ourTypes = found.get(name);
      if (ourTypes === undefined)
        return kind.endsWith('status') && timed.has(name) ? [] : [`${kind}.${name} is missing`];
      return [...types].every((type) => ourTypes.has(type))
        ? []
        : [`${kind}.${name} is ${[...ourTypes].join()}, not ${[...types].join()}`];
    });
  });
}

type Output = Pick<Awaited<ReturnType<Scene['run']>>, 'code' | 'stdout' | 'stderr'>;

function recordsOf({ stdout, stderr }: Output): readonly JsonRecord[] {
  return [...jsonLines(stdout.toString()), ...jsonLines(stderr)];
}

/** What Holdfast's records lack, beside restic's. */
function lacking(ours: Output, theirs: Output): readonly string[] {
  assert.equal(ours.code, theirs.code, `${ours.stderr}\n${theirs.stderr}`);
  assert.ok(recordsOf(theirs).length > 0, 'restic prints records');
  return differences(shapesOf(recordsOf(theirs)), shapesOf(recordsOf(ours)));
}

/** Two snapshots, the second with a change of each kind. */
async function twoSnapshots(on: Scene): Promise<void> {
  await on.ok('backup', on.source, '--tag', 'one,two', '--exclude', '*.none');
  appendFileSync(join(on.source, 'a.txt'), 'more\n');
  writeFileSync(join(on.source, 'new.txt'), 'new\n');
  rmSync(join(on.source, 'b.log'));
  await on.ok('backup', on.source);
}

test('what reads has the fields and types of restic’s JSON', options, async (context) => {
  await using on = await scene();
  await twoSnapshots(on);
  const [first = '', second = ''] = (await on.records('snapshots')).map(({ id }) => String(id));
  const [blob = ''] = (await on.ok('list', 'blobs')).match(/(?<=data )\w+/) ?? [];
  const [tree = ''] = (await on.ok('list', 'blobs')).match(/(?<=tree )\w+/) ?? [];
  const commands: readonly (readonly string[])[] = [
    ['snapshots'],
    ['snapshots', '--group-by', 'host,paths,tags'],
    ['ls', 'latest', '-l'],
    ['find', '*.txt'],
    ['find', 'link'],
    ['find', '--blob', blob],
    ['find', '--tree', tree],
    ['diff', first, second],
    ['stats'],
    ['stats', '--mode', 'files-by-contents'],
    ['stats', '--mode', 'blobs-per-file'],
    ['stats', '--mode', 'raw-data'],
    ['key', 'list'],
    ['check'],
    ['forget', '--keep-last', '1', '--dry-run'],
    ['restore', 'latest', '--target', on.dir.file('out'), '-vv', '--dry-run', '--delete'],
    ['version'],
    ['ls', 'ffffffff'],
  ];
  for (const command of commands) {
    await context.test(
      command
        .join(' ')
        .replaceAll(/[0-9a-f]{64}/g, 'ID')
        .replace(on.dir.path, ''),
      async () => {
        const args = ['--json', ...command];
        assert.deepEqual(lacking(await on.run(args), await runRestic('0.19.1', on.at, args)), []);
      },
    );
  }
});

const writing: readonly { readonly name: string; readonly args: (on: Scene) => readonly string[] }[] = [
  { name: 'backup -vv', args: ({ source }) => ['backup', source, '-vv', '--force'] },
  { name: 'backup of something missing', args: ({ source }) => ['backup', source, `${source}/missing`] },
  { name: 'tag', args: () => ['tag', '--add', 'three'] },
  { name: 'forget --prune', args: () => ['forget', '--keep-last', '1', '--prune'] },
  { name: 'restore', args: ({ dir }) => ['restore', 'latest', '--target', dir.file('out'), '-vv'] },
  { name: 'init where a repository is', args: () => ['init'] },
];

for (const { name, args } of writing) {
  test(`${name} has the fields and types of restic’s JSON`, options, async () => {
    await using one = await scene();
    await using two = await scene();
    for (const on of [one, two]) await twoSnapshots(on);
    const ours = await one.run(['--json', ...args(one)]);
    assert.deepEqual(lacking(ours, await runRestic('0.19.1', two.at, ['--json', ...args(two)])), []);
  });
}

test('a dry run has the fields of restic’s JSON but the ID of a snapshot that nobody wrote', options, async () => {
  await using on = await scene();
  const args = ['--json', 'backup', on.source, '--dry-run', '-vv'];
  const found = lacking(await on.run(args), await runRestic('0.19.1', on.at, args));
  assert.deepEqual(found, ['summary.snapshot_id is missing']);
});

test('prune has the fields and types of restic’s documented JSON, which 0.19.1 does not print yet', async () => {
  await using on = await scene();
  await twoSnapshots(on);
  const records = (await on.records('forget', '--keep-last', '1', '--prune')).filter(
    (one) => one['message_type'] === 'summary',
  );
  const [summary] = records;
  assert.ok(summary !== undefined && records.length === 1);
  const blobs = [
    'used',
    'duplicate',
    'unused',
    'total',
    'repack',
    'repack_remove',
    'remove',
    'remove_total',
    'remaining',
  ];
  const packs = ['used', 'unused', 'partly_used', 'unreferenced', 'total', 'keep', 'repack', 'remove', 'remove_total'];
  const expected = { blobs, bytes: [...blobs, 'unreferenced', 'uncompressed', 'remaining_unused'], packfiles: packs };
  for (const [name, members] of Object.entries(expected)) {
    const counts: readonly (readonly [string, unknown])[] = Object.entries(summary[name] ?? {});
    assert.deepEqual(counts.map(([member]) => member).toSorted(), members.toSorted());
    assert.ok(counts.every(([, count]) => typeof count === 'number'));
  }
});

test('init has the fields and types of restic’s JSON', options, async () => {
  await using on = await scene();
  const [ours, theirs] = [on.dir.file('ours'), on.dir.file('theirs')];
  const args = ['--json', 'init'];
  const made = await servedHoldfast({ ...on.at, repository: ours }, args);
  assert.deepEqual(lacking(made, await runRestic('0.19.1', { ...on.at, repository: theirs }, args)), []);
});

test('a wrong password and a missing repository end with restic’s exit_error', options, async () => {
  await using on = await scene();
  const args = ['--json', 'snapshots'];
  for (const at of [
    { ...on.at, password: 'wrong' },
    { ...on.at, repository: on.dir.file('nowhere') },
  ]) {
    assert.deepEqual(lacking(await servedHoldfast(at, args), await runRestic('0.19.1', at, args)), []);
  }
});

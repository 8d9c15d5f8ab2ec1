import assert from 'node:assert/strict';
import { appendFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { scene, type Scene } from './support/scene.ts';

/** Snapshots of these times (host `one` unless said otherwise), each of the same files. */
async function history(times: readonly string[]): Promise<Scene & { readonly ids: readonly string[] }> {
  const on = await scene();
  const ids: string[] = [];
  for (const time of times)
    ids.push(await on.backup(`${on.source}/a.txt`, '--time', time, '--host', 'one', '--no-scan'));
  return Object.assign(on, { ids });
}

const days = [
  '2024-12-31 10:00:00',
  '2026-03-30 10:00:00',
  '2026-07-20 10:00:00',
  '2026-07-31 09:00:00',
  '2026-07-31 09:30:00',
  '2026-07-31 10:00:00',
];

/** The positions in the history of what a rule keeps. */
async function kept(
  on: Scene & { readonly ids: readonly string[] },
  ...rule: readonly string[]
): Promise<readonly number[]> {
  const groups = await on.records('forget', '--dry-run', ...rule);
  const snapshots = groups.flatMap(({ keep }) =>
    Array.isArray(keep) ? keep.map((one: { readonly id: string }) => one.id) : [],
  );
  return snapshots.map((id) => on.ids.indexOf(id)).toSorted((a, b) => a - b);
}

test('each rule of forget keeps what it says', async (context) => {
  await using on = await history(days);
  const rules: readonly (readonly [rule: readonly string[], keeps: readonly number[]])[] = [
    [
      ['--keep-last', '2'],
      [4, 5],
    ],
    [['-l', '1'], [5]],
    [
      ['--keep-hourly', '2'],
      [4, 5],
    ],
    [
      ['--keep-daily', '2'],
      [2, 5],
    ],
    [
      ['-w', '2'],
      [2, 5],
    ],
    [['--keep-weekly', '1'], [5]],
    [
      ['--keep-monthly', '2'],
      [1, 5],
    ],
    [
      ['--keep-quarterly', '2'],
      [1, 5],
    ],
    [
      ['--keep-yearly', '2'],
      [0, 5],
    ],
    [
      ['-y', 'unlimited'],
      [0, 5],
    ],
    [
      ['--keep-within', '15d'],
      [2, 3, 4, 5],
    ],
    [
      ['--keep-within-hourly', '1d'],
      [4, 5],
    ],
    [
      ['--keep-within-daily', '1m'],
      [2, 5],
    ],
    [
      ['--keep-within-weekly', '1m'],
      [2, 5],
    ],
    [['--keep-within-monthly', '1y'], [1, 2, 5].filter((position) => position !== 2)],
    [
      ['--keep-within-yearly', '2y'],
      [0, 5],
    ],
    [
      ['--keep-last', '1', '--keep-yearly', '2'],
      [0, 5],
    ],
  ];
  for (const [rule, keeps] of rules) {
    await context.test(rule.join(' '), async () => assert.deepEqual(await kept(on, ...rule), keeps));
  }
  assert.equal((await on.run(['forget'])).code, 1, 'no rule removes nothing');
  assert.equal((await on.run(['forget', '--keep-last', '-1'])).code, 2);
  assert.equal((await on.run(['forget', '--keep-within', 'a week'])).code, 2);
});

test('forget removes by rule, group by group, and tags and filters are heeded', async () => {
  await using on = await history(days.slice(3));
  const other = await on.backup(`${on.source}/b.log`, '--host', 'two', '--tag', 'a,b');
  const [first = '', second = '', third = ''] = on.ids;
  const left = async (): Promise<readonly string[]> => (await on.records('snapshots')).map(({ id }) => String(id));
  assert.equal((await on.run(['forget', '--keep-tag', 'none'])).code, 1, 'a group is never emptied');
  await on.ok('forget', '--keep-last', '1', '--dry-run');
  assert.equal((await left()).length, 4);
  await on.ok('forget', '--keep-last', '2', '--host', 'one');
  assert.deepEqual(await left(), [second, third, other]);
  assert.match(
    await on.ok('forget', '--keep-tag', 'a,b', '--group-by', '', '--dry-run', '--compact'),
    /keep 1 snapshot:[\s\S]*remove 2 snapshots:/,
  );
  await on.ok('forget', second);
  assert.deepEqual(await left(), [third, other]);
  assert.equal((await on.run(['forget', '--unsafe-allow-remove-all'])).code, 2, 'only beside a filter');
  await on.ok('forget', '--unsafe-allow-remove-all', '--host', 'two');
  assert.deepEqual(await left(), [third]);
  assert.equal((await on.run(['forget', first])).code, 1);
});

test('forget --prune and prune remove what nothing needs, and show it first', async () => {
  await using on = await scene();
  const random = (): string => crypto.getRandomValues(new Uint8Array(65_536)).toBase64();
  const sizes = (): number =>
    readdirSync(join(on.at.repository, 'data'), { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    ).length;
  writeFileSync(join(on.source, 'big'), random());
  const first = await on.backup(on.source);
  writeFileSync(join(on.source, 'big'), random());
  await on.ok('backup', on.source);
  const before = sizes();
  await on.ok('forget', first);
  assert.match(await on.ok('prune', '--dry-run'), /to delete: +\d+ blobs[\s\S]*nothing was changed/);
  assert.equal(sizes(), before);
  assert.equal((await on.run(['prune', '--max-unused', '100%'])).code, 2);
  for (const limit of ['unlimited', '50%', '1G']) await on.ok('prune', '--dry-run', '--max-unused', limit);
  await on.ok(
    'prune',
    '--dry-run',
    '--max-repack-size',
    '0',
    '--repack-cacheable-only',
    '--repack-small',
    '--repack-uncompressed',
    '--repack-smaller-than',
    '1M',
  );
  await on.ok('prune', '--max-unused', '0');
  assert.ok(sizes() <= before);
  assert.match(await on.ok('check', '--read-data'), /no errors were found/);
  await on.ok('forget', '--keep-last', '1', '--prune');
  assert.match(await on.ok('prune', '-v'), /^unused: +0 blobs/m);
});

test('check finds damage, names what is lost, and exits with 1', async () => {
  await using on = await scene();
  writeFileSync(join(on.source, 'random'), crypto.getRandomValues(new Uint8Array(65_536)));
  await on.ok('backup', on.source);
  const clean = await on.ok('check');
  assert.match(clean, /NOT RUN: reading the data/);
  assert.match(await on.ok('check', '-v'), /can’t be known: whether somebody removed a snapshot/);
  for (const subset of ['1/1', '100%', '500M'])
    assert.match(await on.ok('check', '--read-data-subset', subset), /a part of the data/);
  assert.equal((await on.run(['check', '--read-data-subset', '3/2'])).code, 2);
  assert.equal((await on.run(['check', '--read-data', '--read-data-subset', '1/2'])).code, 2);
  damageDataPack(on);
  assert.match(await on.ok('check'), /no errors were found/, 'the structure is whole');
  const found = await on.run(['check', '--read-data']);
  assert.equal(found.code, 1);
  assert.match(found.stderr, /^error: /m);
  assert.match(found.stdout.toString(), new RegExp(`lost, or not whole, in 1 snapshot:[\\s\\S]*${on.source}/`));
  const json = await on.run(['check', '--read-data', '--json']);
  assert.match(json.stdout.toString(), /"num_errors":[1-9]/);
});

/** Flips a byte of the largest pack, in which the random file is. */
function damageDataPack(on: Scene): void {
  const entries = readdirSync(join(on.at.repository, 'data'), { recursive: true, withFileTypes: true });
  const packs = entries.filter((entry) => entry.isFile()).map((pack) => join(pack.parentPath, pack.name));
  const contents = packs.map((path) => ({ path, bytes: readFileSync(path) }));
  const [largest] = contents.toSorted((one, other) => other.bytes.length - one.bytes.length);
  assert.ok(largest !== undefined && largest.bytes.length > 60_000);
  largest.bytes[1000] = (largest.bytes[1000] ?? 0) ^ 1;
  rmSync(largest.path);
  writeFileSync(largest.path, largest.bytes);
}

test('check notices a snapshot that can’t be read', async () => {
  await using on = await scene();
  const id = await on.backup(on.source);
  appendFileSync(join(on.source, 'a.txt'), 'x');
  await on.ok('backup', on.source);
  const snapshot = join(on.at.repository, 'snapshots', id);
  const bytes = readFileSync(snapshot);
  rmSync(snapshot);
  writeFileSync(snapshot, bytes.subarray(0, -1));
  const { code, stderr } = await on.run(['check']);
  assert.equal(code, 1);
  assert.match(stderr, new RegExp(`snapshot ${id} can't be read`));
});

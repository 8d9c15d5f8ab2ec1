import assert from 'node:assert/strict';
import { readFile, utimes, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { smallSegments } from './servers/postgres-program.ts';
import { startPostgresVersion, withoutPostgresVersions } from './servers/postgres-versions.ts';
import { filesBelow } from './support/files-below.ts';
import { logOf, walOf } from './support/postgres-log.ts';
import { shopScene } from './support/postgres-scene.ts';
import { served } from './support/served.ts';
import { tempDir } from './support/temp-dir.ts';

const skip = withoutPostgresVersions();

const settings = ['autovacuum=off', 'wal_keep_size=1GB'];

test(
  'a log is shown with what can be brought back by it and its gaps, and its window is kept by forget',
  { skip },
  async () => {
    await using shop = await startPostgresVersion({ major: '15', initdb: smallSegments, settings });
    await using dir = await tempDir();
    const more = '    log: { mode: stream, to: { near: { window: 14d } } }\n    tier: t\ntiers: { t: { rpo: 1h } }\n';
    const scene = await shopScene(dir.path, shop.url, { more });
    const [first = ''] = await shop.sql('select pg_walfile_name(pg_current_wal_lsn())');
    await shop.sql('create table orders (id int); select pg_switch_wal()');
    await shop.sql('create table more (id int); select pg_switch_wal()');
    await scene.ok('backup', 'shop-db');
    for (const id of [1, 2, 3, 4]) await shop.sql(`insert into orders values (${id}); select pg_switch_wal()`);
    await using log = await logOf(dir.path, shop);
    const wal = (await walOf(shop, first)).slice(0, -1);
    const times = { earliestNs: 1_800_000_000_000_000_000n, latestNs: 1_800_000_001_000_000_000n };
    const held = wal.toSpliced(-2, 1);
    for (const { extent, bytes } of held) await log.store.put(extent, bytes, { times, facts: {} });

    const shown = await scene.ok('snapshots', 'shop-db', '--points');
    assert.match(shown, new RegExp(`${held.length} segments\\n +any moment from .* on timeline 1, the last change`));
    assert.match(shown, /GAP on timeline 1 from 0\/[0-9A-F]+ to 0\/[0-9A-F]+\n/);
    const [point, found] = JSON.parse(await scene.ok('snapshots', 'shop-db', '--points', '--json')) as Shown;
    assert.equal(found.ranges[0]?.base, point.identity);
    assert.equal(found.ranges[0]?.last_change, '2027-01-15T08:00:01Z');
    assert.deepEqual([found.segments, found.gaps.length, found.gaps[0]?.named], [held.length, 1, false]);

    const { stdout } = await scene.run('status', 'shop-db');
    assert.match(stdout.toString(), /would be lost, by its log/);
    assert.match(
      stdout.toString(),
      /base backup is DUE: .* follows no backup: .* is missing \(its log does not hold it\)/,
    );

    const lost = wal.at(-2)?.extent ?? assert.fail();
    await log.store.putGap(lost, 'the queue was full');
    assert.match(await scene.ok('snapshots', 'shop-db', '--points'), /GAP .*, which was told at its time/);

    const before = (await log.store.list()).segments;
    const [, begins = ''] = found.ranges[0]?.from.split('/') ?? [];
    const stay = before.filter(({ to }) => to > BigInt(`0x${begins}`));
    const passed = before.length - stay.length;
    assert.ok(passed >= 2);
    const said = new RegExp(`would remove ${passed} segments of the log`);
    assert.match(await scene.ok('forget', 'shop-db', '--dry-run'), said);
    assert.deepEqual((await log.store.list()).segments, before);
    assert.match(
      await scene.ok('forget', 'shop-db'),
      /removed \d segments of the log \d+, which no moment of its window needs/,
    );
    assert.deepEqual((await log.store.list()).segments, stay);
    assert.doesNotMatch(await scene.ok('forget', 'shop-db'), /of the log/);
    const [, after] = JSON.parse(await scene.ok('snapshots', 'shop-db', '--points', '--json')) as Shown;
    assert.deepEqual(after.ranges, found.ranges, 'what can be brought back is the same');
    const due = await scene.run('status', 'shop-db');
    assert.match(due.stdout.toString(), /is missing \(the queue was full\)[^]*→ holdfast backup shop-db/);
    await scene.ok('backup', 'shop-db');
    assert.doesNotMatch((await scene.run('status', 'shop-db')).stdout.toString(), /DUE/);
    assert.match(await scene.ok('records', '--json'), /"log":"\d+\.00000001\./);
  },
);

test('a window keeps the backup that it needs, and a host whose clock runs ahead ends none', { skip }, async () => {
  await using shop = await startPostgresVersion({ major: '15', initdb: smallSegments, settings });
  await using dir = await tempDir();
  const more = '    log: { mode: stream, to: { near: { window: 14d } } }\n';
  const scene = await shopScene(dir.path, shop.url, { more });
  const policy = scene.file('holdfast.yaml');
  await writeFile(policy, (await readFile(policy, 'utf8')).replace('daily: 7', 'last: 1'));
  // The backup begins in the segment behind that; asked for after it, the name may be of a later one.
  const [last = ''] = await shop.sql('select pg_walfile_name(pg_current_wal_lsn())');
  await scene.ok('backup', 'shop-db');
  for (const id of [1, 2, 3]) await shop.sql(`create table t${id} (id int); select pg_switch_wal()`);
  await scene.ok('backup', 'shop-db');
  await using log = await logOf(dir.path, shop);
  for (const { extent, bytes } of (await walOf(shop, last)).slice(1, -1))
    await log.store.put(extent, bytes, { facts: {} });
  const before = (await log.store.list()).segments;
  assert.match(
    await scene.ok('config', 'check'),
    /window: reaches back 14 d, and `keep` holds the backups in near for 1 d/,
  );
  assert.match(await scene.ok('forget', 'shop-db', '--dry-run'), /needed by the log’s window of 14d/);
  await scene.ok('forget', 'shop-db');
  assert.equal((JSON.parse(await scene.ok('snapshots', 'shop-db', '--json')) as readonly unknown[]).length, 2);
  const later = async (): Promise<string> => {
    const env = { PATH: process.env['PATH'] ?? '', HOME: dir.path };
    const args = ['--cache-dir', scene.file('cache'), '--state-dir', scene.file('state'), 'forget', 'shop-db'];
    const { code, stdout, stderr } = await served({ args, env, cwd: dir.path, aheadMs: 20 * 86_400_000 });
    assert.equal(code, 0, stderr);
    return stdout.toString();
  };
  assert.doesNotMatch(await later(), /of the log/);
  assert.deepEqual((await log.store.list()).segments, before);
  // Once the storage says so too, what is older than the newest base has passed.
  const [record = ''] = filesBelow(scene.file('near/holdfast/records/shop-db'));
  const time = new Date(Date.now() + 20 * 86_400_000);
  await utimes(record, time, time);
  assert.match(await later(), /removed \d+ segments of the log/);
  assert.equal((JSON.parse(await scene.ok('snapshots', 'shop-db', '--json')) as readonly unknown[]).length, 1);
});

type Shown = readonly [
  { readonly identity: string },
  {
    readonly segments: number;
    readonly ranges: readonly { readonly base: string; readonly from: string; readonly last_change?: string }[];
    readonly gaps: readonly { readonly named: boolean }[];
  },
];

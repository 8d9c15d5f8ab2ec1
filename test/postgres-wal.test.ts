import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { lsnText, parseLsn } from '../src/source/postgres/lsn.ts';
import { parseSegmentName, segmentFacts, type SegmentFacts } from '../src/source/postgres/wal/segment.ts';
import { recordBetween, summarize, type LogSummary } from '../src/source/postgres/wal/summary.ts';
import { Pages, walkRecords } from '../src/source/postgres/wal/walk.ts';
import { holdsXid } from '../src/source/postgres/wal/xid-ranges.ts';
import { absent } from './absences.ts';
import { isFullBudget } from './budget.ts';
import { smallSegments } from './servers/postgres-program.ts';
import { postgresMajors, startPostgresVersion, withoutPostgresVersions } from './servers/postgres-versions.ts';
import type { PostgresMajor, PostgresServer } from './servers/postgres-versions.ts';
import { folderFor } from './support/postgres-scene.ts';
import { runOk } from './support/run-program.ts';
import { tempDir } from './support/temp-dir.ts';

const settings = ['wal_keep_size=1GB', 'max_prepared_transactions=5', 'track_commit_timestamp=on', 'autovacuum=off'];

/** A server whose log holds one of each kind of thing, over several segments of one MiB. */
async function startBusy(major: PostgresMajor): Promise<PostgresServer & { readonly tablespace: string }> {
  const server = await startPostgresVersion({ major, initdb: smallSegments, settings });
  const tablespace = await folderFor(server, 'elsewhere');
  await server.sql('create table orders (id int, what text)');
  await server.sql(
    `do $$ begin for n in 1..2000 loop insert into orders values (n, repeat('x', n % 1900));
     if n % 10 = 0 then rollback; else commit; end if; end loop; end $$`,
  );
  await server.sql(`create tablespace elsewhere location '${tablespace}'`);
  await server.sql('create database second template postgres');
  await server.sql('begin');
  await server.sql("begin; drop table orders; create table other (id int); prepare transaction 'first'");
  await server.sql("commit prepared 'first'");
  await server.sql("begin; create table third (id int); prepare transaction 'second'");
  await server.sql("rollback prepared 'second'");
  return { ...server, tablespace };
}

interface ReadSegment {
  readonly facts: SegmentFacts;
  readonly bytes: Buffer;
  readonly summary: LogSummary;
}

/** Every segment that was written; those that only wait to be used again are left out. */
async function readLog(server: PostgresServer): Promise<readonly ReadSegment[]> {
  const [[, newest = ''] = []] = (await server.sql('select 1, pg_walfile_name(pg_current_wal_insert_lsn())')).map(
    (row) => row.split('|'),
  );
  const folder = join(server.data, 'pg_wal');
  const names = (await readdir(folder)).filter((name) => parseSegmentName(name) !== undefined && name <= newest);
  const read: ReadSegment[] = [];
  for (const name of names.toSorted()) {
    const bytes = await readFile(join(folder, name));
    const facts = segmentFacts(name, bytes);
    read.push({ facts, bytes, summary: summarize(facts, bytes) });
  }
  return read;
}

for (const major of isFullBudget ? postgresMajors : (['18'] as const)) {
  test(
    `PostgreSQL ${major}: what its log tells is what the server did, with its times, places and paths`,
    { skip: withoutPostgresVersions() },
    async () => {
      await using server = await startBusy(major);
      const [point = ''] = await server.sql("select pg_create_restore_point('before the upgrade')");
      const [identifier] = await server.sql('select system_identifier from pg_control_system()');
      await server.sql('create table last_of_all ()'); // flushes what stands before it
      const [flushed = ''] = await server.sql('select pg_current_wal_flush_lsn()');
      const log = await readLog(server);
      assert.ok(log.length > 3);
      const between = log.flatMap(({ summary, facts }, index) => {
        const before = log[index - 1]?.summary;
        return before === undefined ? [] : (recordBetween(before, summary, facts.major) ?? []);
      });
      for (const { facts } of log)
        assert.deepEqual(
          [facts.major, facts.segmentBytes, String(facts.systemIdentifier)],
          [Number(major), 2 ** 20, identifier],
        );
      for (const [index, { summary }] of log.slice(0, -1).entries()) {
        assert.deepEqual([summary.how, log[index + 1]?.summary.start], ['full', summary.endLsn]);
        assert.equal(log[index + 1]?.summary.firstPrevious, summary.lastLsn);
      }
      assert.ok((log.at(-1)?.summary.endLsn ?? 0n) >= parseLsn(flushed));

      const rows = await server.sql(
        `select x, (extract(epoch from pg_xact_commit_timestamp(x::text::xid)) * 1000000)::bigint
         from generate_series(3, (select pg_snapshot_xmax(pg_current_snapshot())::text::bigint) - 1) x
         where pg_xact_commit_timestamp(x::text::xid) is not null`,
      );
      const times = new Map(
        rows.map((row) => row.split('|')).map(([xid, us]) => [Number(xid), BigInt(us ?? 0) * 1000n]),
      );
      const ends = [
        ...between,
        ...log.flatMap(({ summary: { endings } }) => [endings?.first ?? [], endings?.last ?? []].flat()),
      ];
      const commits = ends.filter((end) => end.kind === 'commit' && times.has(end.xid));
      assert.ok(commits.length > 3);
      for (const end of commits) if (end.kind === 'commit') assert.equal(end.timeNs, times.get(end.xid));
      const lone = new Set(between.flatMap((told) => (told.kind === 'commit' ? told.xid : [])));
      for (const xid of times.keys()) {
        const where = log.filter(({ summary: { endings } }) => endings && holdsXid(endings.committed, xid) === 'yes');
        assert.equal(where.length + (lone.has(xid) ? 1 : 0), 1, `transaction ${xid}`);
      }

      const events = [...log.flatMap(({ summary }) => summary.events), ...between];
      const restorePoint = events.find((event) => event.kind === 'restore-point');
      assert.equal(restorePoint?.name, 'before the upgrade');
      assert.equal(lsnText(restorePoint.endLsn), point);
      assert.equal(events.find((event) => event.kind === 'tablespace-created')?.path, server.tablespace);
      const [oid] = await server.sql("select oid from pg_database where datname = 'second'");
      assert.ok(events.some((event) => event.kind === 'database-created' && String(event.oid) === oid));
    },
  );
}

test(
  'PostgreSQL 18: a switch, a shutdown, raised capacities and a promotion are told, and the old pages of a new timeline',
  {
    skip: withoutPostgresVersions(),
  },
  async () => {
    await using server = await startPostgresVersion({ major: '18', initdb: smallSegments, settings });
    await server.sql('create table orders (id int)');
    const [switched = ''] = await server.sql('select pg_switch_wal()');
    await server.sql('insert into orders values (1)');
    const first = await readLog(server);
    const end = first.find(({ summary }) => summary.how === 'switched');
    assert.equal(lsnText(end?.summary.endLsn ?? 0n), switched);
    assert.equal(end?.summary.events.at(-1)?.kind, 'switch');
    await server.stop();
    await using again = await startPostgresVersion({
      major: '18',
      data: server.data,
      settings: [...settings, 'max_connections=300'],
      prepare: async (data) => void (await runOk('touch', [join(data, 'standby.signal')])),
    });
    await again.sql('select pg_promote()');
    await again.sql('checkpoint');
    const log = await readLog(again);
    assert.equal(log.at(-1)?.facts.timeline, 2);
    const events = log.flatMap(({ summary }) => summary.events);
    assert.ok(events.some(({ kind }) => kind === 'shutdown'));
    assert.ok(events.some((event) => event.kind === 'end-of-recovery' && event.timeline === 2 && event.before === 1));
    const capacities = events.flatMap((event) =>
      event.kind === 'capacities' ? event.capacities['max_connections'] : [],
    );
    assert.equal(capacities.at(-1), 300);
  },
);

const waldump = '/usr/lib/postgresql/15/bin/pg_waldump';

test(
  'PostgreSQL 15: each record of a log is where pg_waldump says, of the same length and transaction',
  {
    skip: withoutPostgresVersions() || (existsSync(waldump) ? false : absent('postgres')),
  },
  async () => {
    await using server = await startBusy('15');
    await using dir = await tempDir();
    const log = await readLog(server);
    // As it was read: the server may go on writing by itself.
    for (const { facts, bytes } of log) await writeFile(dir.file(facts.name), bytes);
    for (const { facts, bytes } of log) {
      const mine: string[] = [];
      walkRecords(
        new Pages(facts, bytes),
        () => true,
        ({ totalBytes, xid, offset }) => mine.push(`${totalBytes} ${xid} ${lsnText(facts.start + BigInt(offset))}`),
      );
      const said = await runOk('sh', [
        '-c',
        `${waldump} -p "$1" "$2" "$2" 2>/dev/null || true`,
        'sh',
        dir.path,
        facts.name,
      ]);
      const line = /len \(rec\/tot\): *\d+\/ *(\d+), tx: *(\d+), lsn: ([0-9A-F/]+)/g;
      const theirs = [...said.toString().matchAll(line)].map(
        ([, total, xid, lsn = '']) => `${total} ${xid} ${lsnText(parseLsn(lsn))}`,
      );
      assert.ok(theirs.length > 0);
      assert.deepEqual(theirs, mine);
    }
  },
);

import assert from 'node:assert/strict';
import { chmod } from 'node:fs/promises';
import { test } from 'node:test';
import { systemClock } from '../src/clock/clock.ts';
import { parseLsn } from '../src/source/postgres/lsn.ts';
import { isFullBudget } from './budget.ts';
import {
  type PostgresMajor,
  postgresMajors,
  startPostgresVersion,
  withoutPostgresVersions,
  type PostgresServer,
} from './servers/postgres-versions.ts';
import { postgresPrograms, smallSegments } from './servers/postgres-program.ts';
import { until } from './support/archiving-scene.ts';
import { proveForVersion } from './support/postgres-matrix.ts';
import { startCopy } from './support/postgres-scene.ts';
import { storedLog, unlikeServer } from './support/stored-log.ts';
import { startStream, streamScene } from './support/streaming.ts';
import { tempDir } from './support/temp-dir.ts';
import { writing, type Writing } from './support/writing.ts';

const skip = withoutPostgresVersions();

/** So much of its log that all can be compared. */
const settings = ['autovacuum=off', 'wal_level=replica', 'wal_keep_size=2GB', 'checkpoint_timeout=1h'];

async function flushed(server: PostgresServer): Promise<string> {
  const [lsn = ''] = await server.sql('select pg_current_wal_flush_lsn()');
  return lsn;
}

/** Whatever time the streams took: of usual segments one is whole then, and the last is ended. */
async function untilEnough({ ledger }: Writing): Promise<void> {
  const enough = isFullBudget ? 17n * 2n ** 20n : 3n * 2n ** 20n;
  const isEnough = (): boolean => (ledger.at(-1)?.lsn ?? 0n) - (ledger[0]?.lsn ?? 0n) > enough;
  await until('enough is written', async () => ledger.length > 50 && isEnough());
}

interface Killed {
  readonly major: PostgresMajor;
  /** Of a cluster unlike the others. */
  readonly how: string;
  readonly initdb?: readonly string[];
}

const usual = (major: PostgresMajor): Killed => ({ major, how: '', ...(!isFullBudget && { initdb: smallSegments }) });
const large: Killed = { major: '17', how: ' with segments of 64 MiB', initdb: ['--no-sync', '--wal-segsize=64'] };
const killed = isFullBudget ? [...postgresMajors.map(usual), large] : [usual('18')];
const kills = isFullBudget ? 20 : 1;

for (const { major, how, initdb } of killed) {
  test(
    `PostgreSQL ${major}${how}: under writes and kill -9 of the streamer, whatever was called durable is stored, byte for byte as the server has it`,
    { skip },
    async (context) => {
      await using shop = await startPostgresVersion({ major, settings, ...(initdb && { initdb }) });
      await using dir = await tempDir();
      await streamScene(dir.path, shop.url);
      await using writer = await writing(shop, isFullBudget ? {} : { rowBytes: 16_000 });
      for (let round = 0; round < kills; round++) {
        await using stream = startStream(dir.path);
        await stream.until(
          ({ message_type, rpo_seconds }) => message_type === 'log_status' && rpo_seconds !== undefined,
        );
        await systemClock.sleep(Math.random() * 2500); // the moment of the kill
        await stream.end('SIGKILL');
        const [restart = '0/0'] = await shop.sql('select restart_lsn from pg_replication_slots');
        await storedLog(dir.file('near'), async (log) => {
          assert.ok(log.end >= stream.durable(), 'what it said to be durable');
          assert.ok(log.end >= parseLsn(restart), 'what the server need not keep');
        });
      }
      await using ending = startStream(dir.path);
      await ending.until(({ durable }) => durable !== undefined);
      assert.equal(await ending.end('SIGTERM'), 130);
      const received = ending.records().findLast((record) => typeof record['received'] === 'string')?.['received'];
      await storedLog(dir.file('near'), async ({ end }) =>
        assert.ok(end >= parseLsn(String(received)), 'the last piece'),
      );
      await untilEnough(writer);
      await writer.stop();
      await shop.sql('select pg_switch_wal()');
      const end = await flushed(shop);
      await using last = startStream(dir.path, '--until-durable', end);
      assert.equal(await last.ended, 0, last.errors());
      await storedLog(dir.file('near'), async (log) => {
        assert.ok(log.end >= parseLsn(end));
        assert.deepEqual(log.listing.gaps, []);
        assert.ok(log.listing.segments.length >= (initdb === large.initdb ? 1 : 2));
        assert.deepEqual(await unlikeServer(log, shop.data), []);
        assert.ok(writer.ledger.length > 50);
        for (const { lsn } of writer.ledger) assert.ok(lsn <= log.end);
        const left = log.listing.pieces.filter(({ segment }) =>
          log.listing.segments.some(({ from }) => from === segment.from),
        );
        assert.deepEqual(left, [], 'pieces of segments that are whole');
      });
      const claim = 'a streamer that is killed loses nothing that it called durable';
      proveForVersion(context, `${major}${how}`, { claim, column: 'streamers killed', count: `${kills} kills` });
    },
  );
}

if (isFullBudget) {
  for (const major of postgresMajors) {
    test(
      `PostgreSQL ${major}: production is lost in the midst of writes; every commit that was durable comes back from the stream`,
      { skip },
      async (context) => {
        await using shop = await startPostgresVersion({ major, settings });
        await using dir = await tempDir();
        await chmod(dir.path, 0o755);
        const scene = await streamScene(dir.path, shop.url, { programs: await postgresPrograms(major) });
        await using stream = startStream(dir.path);
        await stream.until(({ message_type }) => message_type === 'log_began');
        await scene.ok('backup', 'shop-db');
        await using writer = await writing(shop);
        await stream.until(({ durable }) => parseLsn(durable ?? '0/0') > (writer.ledger[20]?.lsn ?? 2n ** 63n));
        await shop.running.kill();
        await stream.end('SIGTERM');
        await writer.stop();
        const told = await scene.ok('records', '--component', 'shop-db', '--kind', 'log', '--json');
        assert.match(told, /"outcome":"interrupted"/);
        for (const action of ['log-began', 'base-backup-due', 'ended'])
          assert.match(told, new RegExp(`"action":"${action}"`));
        const durable = stream.durable();
        await scene.ok('restore', 'shop-db', '--latest', '--target', dir.file('back'));
        await using copy = await startCopy(major, dir.file('back', 'shop-db', 'data'));
        const ids = new Set(await copy.sql('select id from ledger'));
        const lost = writer.ledger.filter(({ id, lsn }) => lsn <= durable && !ids.has(String(id)));
        assert.deepEqual(lost, []);
        assert.ok(ids.size > 20);
        const claim = 'every commit that was durable comes back from the stream of a production that was lost';
        proveForVersion(context, major, { claim, column: 'production lost', count: `${ids.size} commits` });
      },
    );
  }
}

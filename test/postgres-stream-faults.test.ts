import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { coverFrom, lineageOf } from '../src/log/cover.ts';
import { systemClock } from '../src/clock/clock.ts';
import { parseLsn } from '../src/source/postgres/lsn.ts';
import { isFullBudget } from './budget.ts';
import { giveToServer } from './servers/postgres-user.ts';
import { startPostgresVersion, withoutPostgresVersions, type PostgresServer } from './servers/postgres-versions.ts';
import { follow, logIn, target } from './support/following.ts';
import { until } from './support/archiving-scene.ts';
import { copyAtRest, startStandby } from './support/standby.ts';

const skip = withoutPostgresVersions();
const settings = ['autovacuum=off', 'wal_level=replica', 'checkpoint_timeout=1h'];

async function flushed(server: PostgresServer): Promise<string> {
  const [lsn = ''] = await server.sql('select pg_current_wal_flush_lsn()');
  return lsn;
}

/** Some MiB of log; resolves with where it ends then. */
async function write(server: PostgresServer, mib = 3): Promise<bigint> {
  await server.sql(
    `select pg_logical_emit_message(true, 'x', repeat(md5(n::text), 32768)) from generate_series(1, ${mib}) n`,
  );
  return parseLsn(await flushed(server));
}

const reaches =
  (at: bigint) =>
  ({ durable }: Readonly<Record<string, unknown>>): boolean =>
    typeof durable === 'string' && parseLsn(durable) >= at;

async function untilPrimary(server: PostgresServer): Promise<void> {
  while ((await server.sql('select pg_is_in_recovery()'))[0] !== 'false') await systemClock.sleep(20);
}

async function assertWhole(
  one: Awaited<ReturnType<typeof target>>,
  { until, epoch }: { readonly until: bigint; readonly epoch: number },
): Promise<void> {
  const store = await logIn(one);
  const listing = await store.list();
  const histories = await Promise.all(listing.histories.map(async (each) => await store.getHistory(each)));
  const lineage = lineageOf(epoch, histories);
  assert.ok(lineage !== undefined);
  const starts = [...listing.segments, ...listing.pieces.map(({ segment }) => segment)].map(({ from }) => from);
  const [first = 0n] = starts.toSorted((a, b) => (a < b ? -1 : 1));
  assert.ok(coverFrom(listing, lineage, first).to >= until);
}

/** Where what is stored of timeline 1 ends. */
async function endOf(one: Awaited<ReturnType<typeof target>>): Promise<bigint> {
  const { segments, pieces } = await (await logIn(one)).list();
  return [...segments, ...pieces].reduce((end, { to }) => (to > end ? to : end), 0n);
}

test(
  'a place that is away holds the slot back while the others go on, and is filled from them when it is back',
  { skip },
  async () => {
    await using shop = await startPostgresVersion({ major: '15', settings });
    const [near, far, spare] = [await target('near'), await target('far'), await target('spare', { required: false })];
    await using log = follow(async () => shop.url, [near, far, spare]);
    await log.noted('log-state', reaches(1n));
    far.storage.state = spare.storage.state = 'away';
    await write(shop, 1);
    await log.warned(/far does not take the log/);
    const away = await log.noted('log-state', ({ places }) => JSON.stringify(places).includes('away'));
    const end = await write(shop, 66);
    await log.noted('log-state', ({ places }) => {
      const [one] = Array.isArray(places) ? (places as { durable: string }[]) : [];
      return one !== undefined && parseLsn(one.durable) >= end;
    });
    const [restart = ''] = await shop.sql('select restart_lsn from pg_replication_slots');
    assert.ok(parseLsn(restart) <= parseLsn(String(away['durable'])), 'the slot keeps what one required place lacks');
    far.storage.state = spare.storage.state = 'there';
    await log.noted('log-place-back', ({ repository }) => repository === 'far');
    await log.noted('log-state', reaches(end));
    await log.noted('log-state', ({ places }) => {
      const all = Array.isArray(places) ? (places as { durable?: string }[]) : [];
      return all.every(({ durable }) => durable !== undefined && parseLsn(durable) >= end);
    });
    const [first, ...others] = await Promise.all(
      [near, far, spare].map(async (one) => (await (await logIn(one)).list()).segments),
    );
    assert.ok(first !== undefined && first.length > 3);
    for (const other of others) assert.deepEqual(other, first);
    assert.deepEqual((await (await logIn(far)).list()).gaps, []);
  },
);

test(
  'a primary that fails over behind its address: the promoted standby is followed on, nothing is missing',
  { skip },
  async () => {
    await using shop = await startPostgresVersion({ major: '15', settings });
    await using standby = await startStandby(shop, '15', settings);
    const near = await target('near');
    let url = shop.url;
    await using log = follow(async () => url, [near]);
    await log.noted('log-began');
    const before = await write(shop);
    await log.noted('log-state', reaches(before));
    const sent = `select pg_last_wal_receive_lsn() >= '${await flushed(shop)}'`;
    await until('the standby has it all', async () => (await standby.sql(sent))[0] === 'true');
    await shop.stop();
    url = standby.url;
    await standby.sql('select pg_promote()');
    const end = await write(standby, 20);
    await log.noted('log-epoch');
    await log.noted('log-state', reaches(end));
    await assertWhole(near, { until: end, epoch: 2 });
    await assertWhole(near, { until: before, epoch: 1 });
  },
);

/** What becomes of a slot while nobody streams. */
const lostSlots: Readonly<Record<string, (server: PostgresServer) => Promise<void>>> = {
  'dropped by hand': async (server) => {
    await untilIdle(server);
    await server.sql("select pg_drop_replication_slot('holdfast_shop_db')");
  },
  'that the server has given up': async (server) => {
    await untilIdle(server);
    await server.sql("alter system set max_slot_wal_keep_size = '16MB'");
    await server.sql('select pg_reload_conf()');
  },
  'that was idle for too long': async (server) => {
    await untilIdle(server);
    await server.sql("alter system set idle_replication_slot_timeout = '1s'");
    await server.sql('select pg_reload_conf()');
    const reason = async (): Promise<string | undefined> =>
      (await server.sql('select invalidation_reason from pg_replication_slots, pg_sleep(0.2)'))[0];
    while ((await reason()) !== 'idle_timeout') await server.sql('checkpoint');
  },
};

async function untilIdle(server: PostgresServer): Promise<void> {
  while ((await server.sql('select active from pg_replication_slots'))[0] !== 'false') await systemClock.sleep(20);
}

for (const [how, lose] of Object.entries(lostSlots).slice(0, isFullBudget ? undefined : 1)) {
  test(
    `a slot ${how}, and the log recycled: a named gap in each place, a base backup is due, and it goes on`,
    { skip },
    async () => {
      await using shop = await startPostgresVersion({
        major: '18',
        settings: [...settings, 'max_wal_size=32MB', 'min_wal_size=32MB'],
      });
      const near = await target('near');
      const before = await (async () => {
        await using first = follow(async () => shop.url, [near]);
        const end = await write(shop);
        await first.noted('log-state', reaches(end));
        await first.stop();
        return await endOf(near); // the server writes now and then by itself
      })();
      await lose(shop);
      for (let round = 0; round < 4; round++) {
        await write(shop, 17);
        await shop.sql('checkpoint');
      }
      await using log = follow(async () => shop.url, [near]);
      const gap = await log.noted('log-gap');
      assert.match(String(gap['reason']), /already been removed/);
      await log.noted('base-backup-due', ({ reason }) => /lost its log/.test(String(reason)));
      const end = await write(shop);
      await log.noted('log-state', reaches(end));
      const { gaps } = await (await logIn(near)).list();
      assert.equal(gaps.length, 1);
      assert.equal(gaps[0]?.from, before);
      assert.equal(gaps[0]?.to, parseLsn(String(gap['to'])));
      await log.stop();
      await using again = follow(async () => shop.url, [near]);
      await again.noted('log-state', reaches(end));
      assert.equal((await (await logIn(near)).list()).gaps.length, 1, 'one that is known is not met again');
    },
  );
}

// Each starts servers of its own, which takes its time.
if (isFullBudget) {
  test(
    'a place that is slower than wal_sender_timeout keeps the connection, and nothing is called durable before it has it',
    { skip },
    async () => {
      await using shop = await startPostgresVersion({ major: '18', settings: [...settings, 'wal_sender_timeout=2s'] });
      const near = await target('near');
      await using log = follow(async () => shop.url, [near]);
      const { from } = await log.noted('log-began');
      const began = parseLsn(String(from));
      near.storage.slowMs = 3100;
      const [before] = await shop.sql('select pid from pg_stat_replication');
      const end = await write(shop, 70);
      const [told = '0/0'] = await shop.sql('select flush_lsn from pg_stat_replication');
      assert.ok(parseLsn(told) < end);
      await log.noted('log-state', ({ durable }) => typeof durable === 'string' && parseLsn(durable) > began);
      assert.deepEqual(await shop.sql('select pid from pg_stat_replication'), [before], 'the same connection');
      near.storage.slowMs = 0;
      await log.noted('log-state', reaches(end));
      assert.ok(!log.events.some(({ kind }) => kind === 'warning'));
    },
  );

  test(
    'a standby that is promoted: its old timeline is kept to the end, the new one followed, with its history',
    { skip },
    async () => {
      await using shop = await startPostgresVersion({ major: '18', settings });
      await using standby = await startStandby(shop, '18', settings);
      const near = await target('near');
      await using log = follow(async () => standby.url, [near]);
      await log.noted('log-began');
      const before = await write(shop);
      await log.noted('log-state', reaches(before));
      await shop.stop();
      await standby.sql('select pg_promote()');
      const end = await write(standby, 20);
      const turned = await log.noted('log-epoch');
      assert.deepEqual([turned['parent'], turned['epoch']], [1, 2]);
      await log.noted('log-state', reaches(end));
      await assertWhole(near, { until: end, epoch: 2 });
      const store = await logIn(near);
      const { partials } = await store.list();
      assert.deepEqual(
        partials.map(({ epoch }) => epoch),
        [1],
      );
    },
  );

  test(
    'a slot that keeps more than slot-max-lag is given up, with a named gap, and production’s disk is free',
    { skip },
    async () => {
      await using shop = await startPostgresVersion({
        major: '18',
        settings: [...settings, 'max_wal_size=32MB', 'min_wal_size=32MB'],
      });
      const near = await target('near');
      await using log = follow(async () => shop.url, [near], { mostLagBytes: 64 * 2 ** 20 });
      await log.noted('log-state', reaches(1n));
      near.storage.state = 'away';
      for (let round = 0; round < 6; round++) {
        await write(shop, 17);
        await shop.sql('checkpoint');
      }
      await log.noted('log-slot-created', ({ before }) => before === 'given up');
      await shop.sql('checkpoint');
      const [kept = '0'] = await shop.sql(
        'select pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) from pg_replication_slots',
      );
      assert.ok(Number(kept) < 64 * 2 ** 20);
      near.storage.state = 'there';
      await log.noted('log-gap', ({ reason }) => /slot-max-lag/.test(String(reason)));
      await log.noted('log-state', reaches(await write(shop)));
    },
  );

  test('another cluster behind the address is a log of its own, and a base backup is due', { skip }, async () => {
    await using shop = await startPostgresVersion({ major: '15', settings });
    await using other = await startPostgresVersion({ major: '15', settings, initdb: ['--no-sync'] });
    const near = await target('near');
    let url = shop.url;
    await using log = follow(async () => url, [near]);
    await log.noted('log-state', reaches(await write(shop)));
    url = other.url;
    await shop.stop();
    await log.warned(/another cluster/);
    const [stream = ''] = await other.sql('select system_identifier from pg_control_system()');
    await log.noted('base-backup-due', (data) => data['stream'] === stream);
    const end = await write(other);
    await log.noted('log-state', (data) => data['stream'] === stream && reaches(end)(data));
    const { pieces, segments } = await (await logIn(near, stream)).list();
    assert.ok(pieces.length + segments.length > 0);
  });

  test(
    'a copy of the cluster that writes the same log is stopped, and nothing of the log is replaced',
    { skip },
    async () => {
      await using shop = await startPostgresVersion({ major: '15', settings });
      const near = await target('near');
      await write(shop);
      const data = await copyAtRest(shop, 'clone');
      await using clone = await startPostgresVersion({ major: '15', data, settings });
      const first = follow(async () => shop.url, [near]);
      const end = await write(shop);
      await first.noted('log-state', reaches(end));
      await first.stop();
      await write(clone);
      await using second = follow(async () => clone.url, [near]);
      assert.match(String(await second.ended), /two clusters write one log/);
    },
  );

  test('a slot that another streamer uses is not taken from it', { skip }, async () => {
    await using shop = await startPostgresVersion({ major: '18', settings });
    const near = await target('near');
    await using first = follow(async () => shop.url, [near]);
    await first.noted('log-began');
    await using second = follow(async () => shop.url, [near]);
    await second.warned(/is active for PID/);
    await first.noted('log-state', reaches(await write(shop)));
    await first.stop();
    await second.noted('log-began');
  });

  test(
    'a password that is changed, and then told, brings the log back; a wrong one at first is told at once',
    { skip },
    async () => {
      await using shop = await startPostgresVersion({
        major: '15',
        settings: [...settings, 'password_encryption=scram-sha-256'],
        prepare: async (data) => {
          const path = join(data, 'pg_hba.conf');
          await writeFile(path, `host all,replication backup all scram-sha-256\n${await readFile(path, 'utf8')}`);
        },
      });
      await shop.sql("create role backup login replication password 'first'");
      const near = await target('near');
      const address = (password: string): string => shop.url.replace('postgres@', `backup:${password}@`);
      await using refused = follow(async () => address('wrong'), [near]);
      assert.match(String(await refused.ended), /password authentication failed/);
      let url = address('first');
      await using log = follow(async () => url, [near]);
      await log.noted('log-began');
      await shop.sql("alter role backup password 'second'; select pg_terminate_backend(pid) from pg_stat_replication");
      await log.warned(/terminat|ended/);
      const end = await write(shop);
      url = address('second');
      await log.noted('log-server-back');
      await log.noted('log-state', reaches(end));
      assert.doesNotMatch(JSON.stringify(log.events), /first|second|wrong/);
    },
  );

  test('a timeline whose number is not the next: what follows is what the server says', { skip }, async () => {
    await using shop = await startPostgresVersion({ major: '15', settings });
    const near = await target('near');
    let url = shop.url;
    await using log = follow(async () => url, [near]);
    await log.noted('log-state', reaches(await write(shop)));
    await shop.stop();
    // Somebody has used the number 2 already.
    for (const [name, text] of [
      ['pg_wal/00000002.history', '1\t0/1\tsomebody else\n'],
      ['recovery.signal', ''],
    ] as const) {
      await writeFile(join(shop.data, name), text);
      await giveToServer(join(shop.data, name));
    }
    const recovery = ['restore_command=false', 'recovery_target_timeline=current'];
    await using promoted = await startPostgresVersion({
      major: '15',
      data: shop.data,
      settings: [...settings, ...recovery],
    });
    await untilPrimary(promoted);
    url = promoted.url;
    const turned = await log.noted('log-epoch');
    assert.deepEqual([turned['parent'], turned['epoch']], [1, 3]);
    const end = await write(promoted, 20);
    await log.noted('log-state', reaches(end));
    await assertWhole(near, { until: end, epoch: 3 });
  });

  test(
    'two promotions to the same timeline: the second is stopped, and nothing of the first is replaced',
    { skip },
    async () => {
      await using shop = await startPostgresVersion({ major: '18', settings });
      await write(shop);
      const data = await copyAtRest(shop, 'second');
      await using first = await startStandby(shop, '18', settings);
      const near = await target('near');
      let url = first.url;
      await using log = follow(async () => url, [near]);
      await log.noted('log-state', reaches(await write(shop)));
      await shop.stop();
      await first.sql('select pg_promote()');
      await log.noted('log-state', reaches(await write(first, 20)));
      const before = await (await logIn(near)).list();
      await writeFile(join(data, 'recovery.signal'), '');
      await giveToServer(join(data, 'recovery.signal'));
      await using second = await startPostgresVersion({
        major: '18',
        data,
        settings: [...settings, 'restore_command=false'],
      });
      await untilPrimary(second);
      await write(second, 40);
      url = second.url;
      await first.stop();
      assert.match(
        String(await log.ended),
        /timeline 2 of .* left timeline 1 at .* left timeline 1 at .*both were promoted to it$/,
      );
      const { segments } = await (await logIn(near)).list();
      assert.deepEqual(segments.slice(0, before.segments.length), before.segments);
    },
  );

  test(
    'a server that stalls without closing its connection is given up, and followed on once it goes on',
    { skip },
    async () => {
      await using shop = await startPostgresVersion({ major: '18', settings });
      const near = await target('near');
      await using log = follow(async () => shop.url, [near]);
      await log.noted('log-state', reaches(await write(shop)));
      const [pid = ''] = await shop.sql('select pid from pg_stat_replication');
      process.kill(Number(pid), 'SIGSTOP');
      const end = await write(shop);
      await log.warned(/has not answered for 1 minutes/, 120_000);
      process.kill(Number(pid), 'SIGCONT');
      await log.noted('log-server-back');
      await log.noted('log-state', reaches(end));
    },
  );
}

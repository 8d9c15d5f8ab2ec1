import assert from 'node:assert/strict';
import { appendFile, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { systemClock } from '../src/clock/clock.ts';
import { openLog } from '../src/log/store.ts';
import { openRepository } from '../src/repository/open.ts';
import { openStorage } from '../src/storage/open.ts';
import { isFullBudget } from './budget.ts';
import { giveToServer } from './servers/postgres-user.ts';
import { smallSegments } from './servers/postgres-program.ts';
import { postgresMajors, startPostgresVersion, withoutPostgresVersions } from './servers/postgres-versions.ts';
import type { PostgresMajor, PostgresServer } from './servers/postgres-versions.ts';
import { until } from './support/archiving-scene.ts';
import { owned, setupScene } from './support/postgres-setup-scene.ts';
import { shared } from './support/shared.ts';
import { copyAtRest } from './support/standby.ts';

const skip = withoutPostgresVersions();
const archive = 'log: { mode: archive, every: 1m, to: { near: { window: 14d } } }';
const stream = 'log: { mode: stream, to: { near: { window: 14d } } }';

const serverOf = shared(async (major: PostgresMajor) => await startPostgresVersion({ major, initdb: smallSegments }));

/** One whose settings and slots are as those of a new cluster, whatever was set up before. */
async function fresh(major: PostgresMajor): Promise<PostgresServer> {
  const server = await serverOf(major);
  await server.sql('alter system reset all');
  await server.sql('select pg_drop_replication_slot(slot_name) from pg_replication_slots');
  await server.sql('select pg_reload_conf()');
  const isSet = "select count(*) from pg_settings where sourcefile like '%/postgresql.auto.conf'";
  await until('nothing is set', async () => (await server.sql(isSet))[0] === '0');
  return server;
}

for (const major of isFullBudget ? postgresMajors : (['18'] as const)) {
  test(
    `PostgreSQL ${major}: a fresh server is set up for an archive: planned, applied, restarted by a person, and then nothing is left`,
    { skip },
    async () => {
      await using server = await startPostgresVersion({ major, initdb: smallSegments });
      await using scene = await setupScene(server.url, archive);
      const planned = await scene.run();
      const summaries = Number(major) < 17 ? [] : ['summarize_wal'];
      const archiving = ['writer grant', 'archive_command', 'archive_mode', 'archive_timeout'];
      assert.deepEqual(planned.left, [...archiving, ...summaries]);
      assert.equal(planned.code, 3, planned.stderr);
      assert.deepEqual(await server.sql('select count(*) from pg_file_settings where name like $$archive%$$'), ['0']);
      assert.ok(!existsSync(scene.dir.file('state/grants')));

      const applied = await scene.run('--apply');
      assert.deepEqual(applied.applied, planned.left);
      assert.deepEqual(applied.left, ['archive_mode']);
      assert.deepEqual(applied.items.get('archive_mode')?.lines, ['restart it: the change counts from then on']);
      assert.equal(applied.code, 3);
      const recorded = (await scene.records()).map(({ kind, data }) => [kind, (data as { item?: unknown }).item]);
      assert.deepEqual(
        recorded,
        applied.applied.map((item) => ['configuration', item]),
      );

      await server.stop();
      await using again = await startPostgresVersion({ major, data: server.data });
      await scene.pointTo(again.url);
      const [command = ''] = await again.sql('show archive_command');
      assert.match(
        command,
        /^test -e pg_wal\/\.holdfast-\d+ && \{ m='.*\/state\/spool\/shop-db\/\d+\/%f'; t\(\) \{ .* \} 2>\/dev\/null \|\| '.*\/bin\/holdfast' postgres archive-push shop-db '--config' /,
      );
      assert.match(command, /%p$/);
      const done = await scene.run();
      assert.deepEqual(done.left, []);
      assert.equal(done.code, 0);
      assert.equal((await scene.run('--apply')).applied.length, 0);

      await again.sql('alter system reset archive_mode');
      await again.sql('select pg_reload_conf()');
      const pending = "select pending_restart from pg_settings where name = 'archive_mode'";
      await until('it waits for a restart', async () => (await again.sql(pending))[0] === 'true');
      assert.equal((await scene.run()).items.get('archive_mode')?.state, 'to apply');
      const kept = await scene.run('--apply');
      assert.deepEqual([kept.applied, kept.left], [['archive_mode'], []], 'no restart is needed for it to stay on');
    },
  );
}

/** A line at the end of postgresql.conf, for as long as somebody uses it. */
async function inConfiguration({ data, sql }: PostgresServer, line: string): Promise<AsyncDisposable> {
  const file = join(data, 'postgresql.conf');
  const before = await readFile(file, 'utf8');
  const isThere = async (): Promise<boolean> =>
    (
      await sql(
        "select count(*) from pg_settings where sourcefile like '%/postgresql.conf' and name = 'archive_command'",
      )
    )[0] === '1';
  const put = async (text: string): Promise<void> => {
    await writeFile(file, text);
    await sql('select pg_reload_conf()');
    await until('it is read', async () => (await isThere()) === text.includes(line));
  };
  await put(`${before}${line}\n`);
  return { [Symbol.asyncDispose]: async () => await put(before) };
}

test(
  'a copy of the data directory gets no grant but by adoption, which takes it from the original and wipes the spool',
  { skip },
  async () => {
    const original = await fresh('18');
    await using scene = await setupScene(original.url, archive);
    assert.ok((await scene.run('--apply')).applied.includes('writer grant'));
    const copied = await copyAtRest(original, 'data-copy');
    await using copy = await startPostgresVersion({ major: '18', data: copied, settings: ['archive_mode=off'] });

    await scene.pointTo(copy.url);
    const refused = await scene.run('--apply');
    assert.deepEqual(refused.applied, []);
    assert.equal(refused.items.get('writer grant')?.state, 'by hand');
    assert.match(refused.items.get('writer grant')?.lines.join(' ') ?? '', /archive_mode = off .*--adopt .*-copy /);
    assert.equal(refused.code, 3);
    const wrong = await scene.run('--apply', '--adopt', original.data);
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /shop-db: the server runs on .*-copy, not on /);

    const marker = scene.dir.file('state/spool/shop-db/1/000000010000000000000001.ok');
    await mkdir(scene.dir.file('state/spool/shop-db/1'), { recursive: true });
    await writeFile(marker, '');
    await owned(scene.dir.file('state'));
    const adopted = await scene.run('--apply', '--adopt', copied);
    assert.deepEqual(adopted.applied, ['writer grant'], adopted.stderr);
    assert.deepEqual(await readdir(scene.dir.file('state/spool/shop-db/1')), []);
    assert.ok(!(await scene.run()).left.includes('writer grant'));
    await scene.pointTo(original.url);
    assert.ok((await scene.run()).left.includes('writer grant'));
  },
);

test(
  'a cluster whose log is there already, from another host, gets no first grant unasked, nor one whose repository is out of reach',
  { skip },
  async () => {
    await using server = await startPostgresVersion({ major: '18', initdb: smallSegments }); // one that waits for no restart
    await using scene = await setupScene(server.url, archive);
    const [stream = ''] = await server.sql('select system_identifier from pg_control_system()');
    {
      const storage = await openStorage(scene.dir.file('near'));
      await using repository = await openRepository({ storage, clock: systemClock, password: 'secret' });
      const extent = { epoch: 1, from: 0x10_0000n, to: 0x20_0000n };
      await openLog(repository, { component: 'shop-db', stream }).put(extent, Buffer.alloc(0x10_0000), { facts: {} });
    }
    await owned(scene.dir.path);
    const planned = await scene.run('--apply');
    assert.deepEqual(planned.applied, ['archive_timeout', 'summarize_wal']);
    const grant = planned.items.get('writer grant');
    assert.deepEqual(
      [grant?.state, grant?.found],
      ['by hand', 'none, and near holds a log of this cluster already: this may be a copy'],
    );
    assert.deepEqual(planned.left, ['writer grant', 'archive_command', 'archive_mode']);

    await rename(scene.dir.file('near/keys'), scene.dir.file('near/away'));
    assert.match((await scene.run()).items.get('writer grant')?.found ?? '', /is there already is not known: near: /);
    const adopted = await scene.run('--apply', '--adopt', server.data);
    assert.deepEqual(adopted.applied, ['writer grant', 'archive_command', 'archive_mode']);
  },
);

test('a secret that the server’s processes would not find holds archiving back', { skip }, async () => {
  const server = await fresh('15');
  await using scene = await setupScene(server.url, archive, { password: 'env: NEAR_PASSWORD', by: 'us' });
  const planned = await scene.run();
  assert.equal(planned.items.get('secret repositories.near.password')?.found, 'the variable NEAR_PASSWORD');
  assert.equal(planned.items.get('archive_command')?.where, 'after “secret repositories.near.password”');
  assert.ok(!(await scene.run('--apply')).applied.includes('archive_mode'));
});

test(
  'an archive of somebody else’s is shown and kept, also while it is switched off, until its end is asked for',
  { skip },
  async () => {
    const foreign = 'cp %p /srv/archive/%f';
    const server = await fresh('15');
    await using _there = await inConfiguration(server, `archive_command = '${foreign}'`);
    await using scene = await setupScene(server.url, archive);
    const planned = await scene.run('--apply');
    const { state, found, wanted = '', where } = planned.items.get('archive_command') ?? {};
    assert.deepEqual([state, found], ['by hand', foreign]);
    assert.match(`${wanted} ${where}`, /archive-push shop-db .* --replace-archiving/);
    assert.equal(planned.items.get('archive_mode')?.state, 'by hand', 'it would wake the other archive');
    assert.deepEqual(planned.applied.toSorted(), ['archive_timeout', 'writer grant']);

    const replaced = await scene.run('--apply', '--replace-archiving');
    assert.deepEqual(replaced.applied, ['archive_command', 'archive_mode']);
    assert.deepEqual(replaced.left, ['archive_mode']);
  },
);

for (const major of isFullBudget ? postgresMajors : (['15'] as const)) {
  test(
    `PostgreSQL ${major}: a server is set up for a stream: the slot, and before it the limit that protects the server’s disk`,
    { skip },
    async () => {
      await using stack = new AsyncDisposableStack();
      const server =
        major === '15' ? await fresh(major) : stack.use(await startPostgresVersion({ major, initdb: smallSegments }));
      await using scene = await setupScene(server.url, stream, { by: 'us' });
      const planned = await scene.run();
      const since17 = Number(major) < 17 ? [] : ['summarize_wal'];
      assert.deepEqual(planned.left, ['max_slot_wal_keep_size', 'replication slot', ...since17]);
      const applied = await scene.run('--apply');
      assert.deepEqual(applied.applied, planned.left);
      assert.equal(applied.code, 0, applied.stderr);
      const slots = 'select slot_name, slot_type, restart_lsn is not null, temporary from pg_replication_slots';
      assert.deepEqual(await server.sql(slots), ['holdfast_shop_db|physical|true|false']);
      assert.deepEqual(
        await server.sql("select setting::int > 0 from pg_settings where name = 'max_slot_wal_keep_size'"),
        ['true'],
      );
      await using without = await setupScene(server.url, '', { by: 'us' });
      const left = await without.run();
      assert.deepEqual(left.left, ['replication slot'], 'nobody wants it any more');
      await server.sql(left.items.get('replication slot')?.lines[0] ?? '');
      assert.equal((await without.run()).code, 0);
    },
  );
}

test(
  'a role that lacks what it needs is told the very lines, and once they are followed nothing is left',
  { skip },
  async () => {
    let hba = '';
    await using server = await startPostgresVersion({
      major: '15',
      initdb: smallSegments,
      prepare: async (data) => {
        hba = join(data, '../etc/pg_hba.conf');
        await mkdir(join(data, '../etc'), { mode: 0o755 });
        await writeFile(
          hba,
          'host all all all trust\nhost replication postgres all trust\nhost replication all all reject\n',
        );
        await giveToServer(hba);
        await appendFile(join(data, 'postgresql.conf'), `hba_file = '${hba}'\n`);
      },
    });
    await using scene = await setupScene(server.url.replace('postgres@', 'Backup-1@'), '', { by: 'us' });
    const unknown = await scene.run('--apply');
    assert.equal(unknown.code, 1);
    assert.match(
      unknown.stderr,
      /shop-db: .*role \\"Backup-1\\" does not exist.*role of the address is there, and whether pg_hba\.conf lets it in/,
    );
    await server.sql('create role "Backup-1" login');
    const left = ['role: REPLICATION', 'role: pg_read_all_settings', 'pg_hba.conf'];
    const planned = await scene.run('--apply');
    assert.deepEqual([planned.applied, planned.left], [[], left]);
    assert.equal(planned.code, 3);
    const line = planned.items.get('pg_hba.conf')?.lines[0] ?? '';
    assert.match(line, /^host +replication +"Backup-1" +127\.0\.0\.1\/32 +scram-sha-256$/);

    for (const name of left.slice(0, 2)) await server.sql(planned.items.get(name)?.lines.join('') ?? '');
    const seen = await scene.run();
    assert.deepEqual(seen.left, ['role: pg_read_server_files', 'pg_hba.conf']);
    assert.equal(seen.items.get('pg_hba.conf')?.where, `${hba}, at its end`, 'the rules may not be read');
    await server.sql(seen.items.get('role: pg_read_server_files')?.lines.join('') ?? '');
    await server.sql(
      'grant select on pg_hba_file_rules to "Backup-1"; grant execute on function pg_hba_file_rules() to "Backup-1"',
    );
    assert.equal((await scene.run()).items.get('pg_hba.conf')?.where, `${hba}, above line 2`);
    const trusting = line.replace(/scram-sha-256$/, 'trust'); // the test's role has no password
    await writeFile(hba, (await readFile(hba, 'utf8')).replace('host replication postgres', `${trusting}\n$&`));
    await server.sql('select pg_reload_conf()');
    const done = await scene.run();
    assert.deepEqual([done.left, done.code], [[], 0], done.stderr);
  },
);

test(
  'a role that may not change settings is told which line belongs into which file; one that may, by grants alone, changes them',
  { skip },
  async () => {
    await using server = await startPostgresVersion({
      major: '18',
      initdb: smallSegments,
      settings: ['max_wal_senders=2'],
    });
    await server.sql('create role backup login replication; grant pg_read_all_settings to backup');
    const url = server.url.replace('postgres@', 'backup@');
    await using scene = await setupScene(url, stream, { by: 'us' });
    const planned = await scene.run();
    const size = planned.items.get('max_slot_wal_keep_size');
    assert.match(`${size?.where} ${size?.lines[0]}`, /postgresql\.conf.* max_slot_wal_keep_size = '\d+MB'$/);
    assert.match(planned.items.get('max_wal_senders')?.where ?? '', /command line/);
    await using archiving = await setupScene(url, archive, { by: 'us' });
    const hidden = (await archiving.run()).items.get('archive_command');
    assert.equal(hidden?.found, 'not to be seen while archiving is off');
    for (const line of hidden.lines) await server.sql(line);
    const seen = (await archiving.run()).items.get('archive_command');
    assert.equal(seen?.found, 'empty');
    assert.match(`${seen.where} ${seen.lines[0]}`, /postgresql\.conf.* archive_command = 'test -e .*%p'$/);
    await using reading = await setupScene(url, '', { options: 'reading: host', by: 'us' });
    const inPlace = (await reading.run()).items;
    assert.equal(inPlace.get('reading: host')?.found, `reads ${server.data}`);
    await server.sql(inPlace.get('role: backup functions')?.lines.join('') ?? '');
    assert.equal((await reading.run()).items.get('role: backup functions')?.state, 'fine');
    await server.sql('grant alter system on parameter max_slot_wal_keep_size to backup');
    await server.sql('grant execute on function pg_reload_conf() to backup');
    const applied = await scene.run('--apply');
    assert.deepEqual(applied.applied, ['max_slot_wal_keep_size', 'replication slot']);
    assert.deepEqual(applied.left, ['max_wal_senders']);
  },
);

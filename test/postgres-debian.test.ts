import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { isFullBudget } from './budget.ts';
import { startDebianCluster, startDebianCopy, withoutDebianCluster } from './servers/postgres-debian.ts';
import { withoutRestic } from './servers/restic.ts';
import { databaseFiles, restoreByRestic, shopScene } from './support/postgres-scene.ts';
import { runOk } from './support/run-program.ts';
import { until } from './support/archiving-scene.ts';
import { jsonLines } from './support/scene.ts';
import { startStream } from './support/streaming.ts';
import { tempDir } from './support/temp-dir.ts';
import type { Scene } from './support/verifying.ts';

const skip = withoutDebianCluster() || withoutRestic('0.19.1');

async function setUp(scene: Scene): Promise<{ readonly code: number | null; readonly statements: string }> {
  const { code, stdout } = await scene.run('postgres', 'setup', 'shop-db', '--json');
  const due = jsonLines(stdout.toString()).filter(({ state }) => state === 'by hand');
  const lines = due.map(({ lines: one }) => (one as { readonly text: readonly string[] }).text);
  return { code, statements: lines.flat().join('\n') };
}

test(
  'a cluster as Debian has it is set up by the printed statements, backed up, and starts by restic alone beside production, which stays as it is',
  { skip },
  async () => {
    await using production = await startDebianCluster('shop');
    await production.sql(`create table orders as select n as id from generate_series(1, 1000) n;
      create role holdfast login password 'correct horse'`);
    await using dir = await tempDir();
    const address = `postgres://holdfast:correct%20horse@127.0.0.1:${production.running.port}/postgres?sslmode=require`;
    const scene = await shopScene(dir.path, address);

    const first = await setUp(scene);
    assert.equal(first.code, 3);
    await production.sql(first.statements);
    const second = await setUp(scene);
    assert.match(second.statements, /pg_read_server_files/);
    await production.sql(second.statements);
    assert.deepEqual(await setUp(scene), { code: 0, statements: '' });

    await scene.ok('backup', 'shop-db');
    await production.sql('checkpoint');
    const before = await databaseFiles([join(production.data, 'base'), join(production.data, 'global')]);
    const restored = production.running.dir.file('restored');
    const data = await restoreByRestic(scene, restored);
    const configuration = join(data, '../configuration', production.configuration);
    for (const name of ['postgresql.conf', 'pg_hba.conf', 'pg_ident.conf', 'conf.d/own.conf'])
      assert.deepEqual(await readFile(join(configuration, name)), await readFile(join(production.configuration, name)));

    await runOk('chown', ['-R', 'postgres:', restored]);
    await runOk('chmod', ['700', data]);
    await using copy = await startDebianCopy(data, [
      ...['archive_mode=off', 'allow_in_place_tablespaces=on', 'external_pid_file=', `data_directory=${data}`],
      ...['config_file=postgresql.conf', 'hba_file=pg_hba.conf', 'ident_file=pg_ident.conf'].map((one) =>
        one.replace('=', `=${configuration}/`),
      ),
    ]);
    assert.equal(await copy.sql('select count(*) from orders'), '1000');
    assert.equal(await copy.sql('show data_directory'), data);
    assert.equal(await copy.sql('show autovacuum'), 'off', 'what production includes counts in the copy');
    for (const statement of ['delete from orders', 'vacuum orders', 'checkpoint']) await copy.sql(statement);
    assert.equal(await production.sql('select count(*) from orders'), '1000');
    assert.deepEqual(await databaseFiles([join(production.data, 'base'), join(production.data, 'global')]), before);
  },
);

if (isFullBudget)
  test(
    'a cluster as Debian has it, whose log is streamed, is restored in place by pg_ctlcluster, its tablespace too; the stream makes its slot again and goes on with the new timeline',
    { skip },
    async () => {
      await using production = await startDebianCluster('shop');
      await using dir = await tempDir();
      const { running, sql, configuration, data } = production;
      await mkdir(running.dir.file('far'));
      await runOk('chown', ['postgres:', running.dir.file('far')]);
      await sql(`create tablespace far location '${running.dir.file('far')}'`);
      await sql('create table orders (id int) tablespace far; insert into orders select generate_series(1, 1000)');
      await sql("create role holdfast superuser login password 'correct horse'");
      const address = `postgres://holdfast:correct%20horse@127.0.0.1:${running.port}/postgres?sslmode=require`;
      const ctl = `env PG_CLUSTER_CONF_ROOT=${running.dir.file('etc')} pg_ctlcluster 15 shop`;
      const scene = await shopScene(dir.path, address, {
        more: `    log: { mode: stream, to: { near: { window: 7d } } }
    restore: { stop: "${ctl} stop -m fast", start: "${ctl} start", running: "${ctl} status" }
`,
      });
      await scene.ok('postgres', 'setup', 'shop-db', '--apply');
      await using stream = startStream(dir.path);
      await stream.until(({ message_type }) => message_type === 'log_began');
      await scene.ok('backup', 'shop-db');
      await sql('insert into orders values (1001)');
      await sql("select pg_create_restore_point('before')");
      await sql('delete from orders');
      await sql('select pg_switch_wal()');
      const settings = await readFile(join(configuration, 'postgresql.conf'), 'utf8');
      const said = await scene.ok('restore', 'shop-db', '--in-place', '--name', 'before');
      assert.match(said, /afterwards: slots to be created again: holdfast_shop_db/);
      assert.equal(await sql('select count(*) from orders'), '1001');
      assert.equal(await sql('show data_directory'), data);
      assert.equal(await readFile(join(configuration, 'postgresql.conf'), 'utf8'), settings);
      await sql('insert into orders values (1002)');
      await until(
        `the stream goes on\n${stream.errors()}`,
        async () => (await sql('select slot_name from pg_replication_slots where active')) === 'holdfast_shop_db',
      );
      await stream.until(({ epoch, durable }) => epoch === 2 && durable !== undefined);
      await stream.end('SIGTERM');
      const end = await sql('select pg_current_wal_flush_lsn()');
      await using last = startStream(dir.path, '--until-durable', end);
      assert.equal(await last.ended, 0, last.errors());
      await scene.ok('confirm');
      // Without a stream, and a slot that is gone.
      await runOk('sh', ['-c', `${ctl} stop -m immediate`]);
      await scene.ok('restore', 'shop-db', '--in-place');
      assert.equal(await sql('select count(*) from orders'), '1002');
      await using anew = startStream(dir.path, '--until-durable', await sql('select pg_current_wal_flush_lsn()'));
      assert.equal(await anew.ended, 0, anew.errors());
      assert.equal(await sql('select slot_name from pg_replication_slots'), 'holdfast_shop_db');
      await runOk('sh', ['-c', `${ctl} stop -m fast`]);
    },
  );

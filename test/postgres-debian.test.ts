import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { startDebianCluster, startDebianCopy, withoutDebianCluster } from './servers/postgres-debian.ts';
import { withoutRestic } from './servers/restic.ts';
import { databaseFiles, restoreByRestic, shopScene } from './support/postgres-scene.ts';
import { runOk } from './support/run-program.ts';
import { jsonLines } from './support/scene.ts';
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

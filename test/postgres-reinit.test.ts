import assert from 'node:assert/strict';
import { copyFile, readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { giveToServer } from './servers/postgres-user.ts';
import { startPostgresVersion, withoutPostgresVersions } from './servers/postgres-versions.ts';
import { archivingScene, until } from './support/archiving-scene.ts';
import { testAtMajors } from './support/at-majors.ts';
import { extentNamed, logOf } from './support/postgres-log.ts';

testAtMajors(
  'a new cluster in the place of the old, with its configuration, loses nothing to markers of before, and is refused until it is set up',
  { sample: '18', skip: withoutPostgresVersions() },
  async (major) => {
    await using scene = await archivingScene({ major, log: 'to: { near: { window: 14d } }' });
    const { server, dir, run } = scene;
    await scene.switchLog();
    await until('its log is stored', async () => (await scene.ready()).length === 0);
    const spool = await scene.spool();
    await server.stop();
    const old = `${server.data}-old`;
    await rename(server.data, old);
    await using made = await startPostgresVersion({ major }); // of another identifier
    await made.stop();
    await rename(made.data, server.data);
    const configuration = join(server.data, 'postgresql.auto.conf');
    await copyFile(join(old, 'postgresql.auto.conf'), configuration);
    await giveToServer(configuration);
    const names = [1, 2, 3, 4].map((number) => `00000001000000000000000${number}`);
    for (const name of names) {
      await writeFile(join(spool, `${name}.ok`), '');
      await giveToServer(join(spool, `${name}.ok`));
    }
    await using fresh = await scene.restart();
    await writeFile(dir.file('url'), fresh.url);
    await fresh.sql('create table orders as select 1 as id; select pg_switch_wal()');
    await until('it is refused', async () =>
      /holds another cluster now, \d+ in place of \d+/.test(fresh.running.output()),
    );
    assert.deepEqual(await fresh.sql('select archived_count from pg_stat_archiver'), ['0']);

    const applied = await run('postgres', 'setup', 'shop-db', '--apply', '--adopt', server.data);
    assert.equal(applied.code, 0, applied.stdout.toString() + applied.stderr);
    assert.deepEqual(await readdir(spool).catch(() => []), [], 'markers of before are gone');
    await fresh.sql('select pg_reload_conf()');
    await until('its log is stored', async () => (await scene.ready()).length === 0);
    await using log = await logOf(dir.path, fresh);
    const first = (await log.store.list()).segments[0];
    assert.deepEqual(first, extentNamed(names[0] ?? '', 2 ** 24), 'from its first segment on');
  },
);

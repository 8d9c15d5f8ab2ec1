import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startPostgresVersion, withoutPostgresVersions, type PostgresServer } from './servers/postgres-versions.ts';
import { archived, archivingScene, until } from './support/archiving-scene.ts';
import { testAtMajors } from './support/at-majors.ts';
import { runOk } from './support/run-program.ts';

/** Ends the segment that is written, with rows of its own in it; resolves with its name. */
async function writeSegment({ sql }: PostgresServer, what: string): Promise<string> {
  await sql(`create table ${what} as select n, '${what}' as what from generate_series(1, 2000) n`);
  const [name = ''] = await sql('select pg_walfile_name(pg_switch_wal())');
  return name;
}

testAtMajors(
  'a clone that archives first is refused, says so in its own log, and production’s segment of the same name is stored',
  { sample: '18', skip: withoutPostgresVersions() },
  async (major) => {
    await using scene = await archivingScene({ major, log: 'to: { near: { window: 14d } }' });
    await scene.server.stop();
    const data = `${scene.server.data}-clone`;
    await runOk('cp', ['-a', scene.server.data, data]);
    await using production = await scene.restart();
    // It has production's archive_command too, which stands in postgresql.auto.conf.
    await using clone = await startPostgresVersion({
      major,
      data,
      settings: ['archive_mode=on', 'autovacuum=off'],
    });

    const name = await writeSegment(clone, 'cloned');
    await until('the clone is refused', async () => {
      const [failed = '0'] = await clone.sql('select failed_count from pg_stat_archiver');
      return Number(failed) > 0;
    });
    const said = /shop-db: its log is written by .*\/data, not by .*-clone[^]*archive_mode=off.*--adopt/;
    await until('it says so', async () => said.test(clone.running.output()));

    assert.equal(await writeSegment(production, 'produced'), name);
    await archived(production, name);
    const stored = await scene.withStore('near', async (store) => await store.get(scene.extent(name)));
    const [produced, cloned] = await Promise.all(
      [production.data, data].map(async (folder) => await readFile(join(folder, 'pg_wal', name))),
    );
    assert.ok(produced?.equals(stored));
    assert.ok(cloned !== undefined && !cloned.equals(stored));
    assert.deepEqual(await clone.sql('select archived_count from pg_stat_archiver'), ['0']);
  },
);

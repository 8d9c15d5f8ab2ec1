import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { postgresPrograms } from './servers/postgres-program.ts';
import { withoutPostgresVersions } from './servers/postgres-versions.ts';
import { archivingScene, until } from './support/archiving-scene.ts';
import { testAtMajors } from './support/at-majors.ts';
import { writeLedger } from './support/ledger.ts';
import { startCopy } from './support/postgres-scene.ts';

testAtMajors(
  'moments of a log that the server handed over itself come back by name, time and transaction, by what was noted beside it',
  { sample: '18', skip: withoutPostgresVersions() },
  async (major) => {
    const log = 'to: { near: { window: 14d } }';
    await using scene = await archivingScene({ major, log, settings: ['track_commit_timestamp=on'] });
    const { server, dir, run } = scene;
    const policy = await readFile(dir.file('holdfast.yaml'), 'utf8');
    const programs = `programs: [${await postgresPrograms(major)}]`;
    await writeFile(dir.file('holdfast.yaml'), policy.replace('postgres: {', `postgres: { ${programs},`));
    await server.sql('create table orders (id int, what text)');
    assert.equal((await run('backup', 'shop-db')).code, 0);
    const [first, second] = await writeLedger(server, [1, 2, 3]);
    await server.sql("select pg_create_restore_point('before_the_sale')");
    await writeLedger(server, [4, 5], 1);
    await until('its log is stored', async () => (await scene.ready()).length === 0);
    await scene.withStore('near', async (store) => {
      for (const extent of (await store.list()).segments)
        assert.ok('version' in ((await store.about(extent))?.facts ?? {}), 'each is told of');
    });
    await scene.ownRepositories();
    const planned = async (...words: readonly string[]): Promise<string> => {
      const { stdout, stderr, code } = await run(
        'restore',
        'shop-db',
        ...words,
        '--dry-run',
        '--target',
        dir.file('no'),
      );
      assert.equal(code, 0, stderr);
      return /stops at (\S+?),/.exec(stdout.toString())?.[1] ?? 'nowhere';
    };
    const [byTime, byXid] = [await planned('--at', first?.time ?? ''), await planned('--xid', second?.xid ?? '')];
    assert.equal(byTime, byXid, 'the first transaction beyond the time of the first row is that of the second');
    const restored = await run('restore', 'shop-db', '--name', 'before_the_sale', '--target', dir.file('back'));
    assert.equal(restored.code, 0, restored.stderr);
    await using copy = await startCopy(major, dir.file('back', 'shop-db', 'data'));
    assert.deepEqual(await copy.sql('select id from orders order by id'), ['1', '2', '3']);
  },
);

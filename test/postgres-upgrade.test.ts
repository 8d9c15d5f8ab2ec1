import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { isFullBudget } from './budget.ts';
import { postgresClients, withoutPostgresClients } from './servers/postgres-clients.ts';
import { postgresPrograms, smallSegments } from './servers/postgres-program.ts';
import { asServer, giveToServer } from './servers/postgres-user.ts';
import { startPostgresVersion, withoutPostgresVersions, type PostgresServer } from './servers/postgres-versions.ts';
import { writeLedger } from './support/ledger.ts';
import { backedUp, idsIn, shopSettings, storeLog, type Shop } from './support/moment-scene.ts';
import { runOk } from './support/run-program.ts';

/** A cluster of 18 with what the one of 15 held, which is ended: by pg_upgrade where that is here, else loaded anew. */
async function upgraded({ shop }: Shop): Promise<PostgresServer> {
  const ids = await shop.sql('select id from orders order by id');
  if (isFullBudget && withoutPostgresClients() === false) {
    const data = await byPgUpgrade(shop);
    return await startPostgresVersion({ major: '18', data, settings: shopSettings });
  }
  await shop.stop();
  const made = await startPostgresVersion({ major: '18', initdb: smallSegments, settings: shopSettings });
  await made.sql('create table orders (id int, what text)');
  for (const id of ids) await made.sql(`insert into orders values (${id}, 'loaded')`);
  return made;
}

const oldPrograms = '/usr/lib/postgresql/15/bin';

async function byPgUpgrade({ data: old, running, sql }: PostgresServer): Promise<string> {
  const programs = await postgresClients();
  const [data, work] = [running.dir.file('upgraded'), running.dir.file('work')];
  for (const folder of [data, work]) {
    await mkdir(folder, { mode: 0o700 });
    await giveToServer(folder);
  }
  const run = async (name: string, args: readonly string[]): Promise<void> => {
    const [program, ...words] = asServer([join(programs, name), ...args]);
    await runOk(program, words, { cwd: work, env: { HOME: work, PATH: '/usr/bin:/bin' }, timeoutMs: 300_000 });
  };
  const [size = ''] = await sql("select setting::bigint >> 20 from pg_settings where name = 'wal_segment_size'");
  const like = ['-E', 'UTF8', '--locale=C', '--no-sync', '-k', `--wal-segsize=${size}`];
  await run('pg_ctl', ['stop', '-D', old, '-m', 'fast', '-w']);
  await run('initdb', ['-D', data, '-U', 'postgres', '-A', 'trust', ...like]);
  await run('pg_upgrade', ['-b', oldPrograms, '-B', programs, '-d', old, '-D', data, '-U', 'postgres', '-s', work]);
  return data;
}

async function nameBothPrograms(path: string): Promise<void> {
  const [old, now] = [await postgresPrograms('15'), await postgresPrograms('18')];
  const policy = await readFile(path, 'utf8');
  await writeFile(path, policy.replace(`programs: [${old}]`, `programs: [${old}, ${now}]`));
}

test(
  'after an upgrade the log is another, a whole backup begins it, and moments of before still come back',
  { skip: withoutPostgresVersions() },
  async () => {
    await using made = await backedUp('15', 'there', '', isFullBudget ? { databases: 'all' } : {});
    const { scene, shop } = made;
    const before = await writeLedger(shop, [3, 4, 5]);
    await storeLog(made);
    await using newer = await upgraded(made);
    await writeFile(scene.file('url'), newer.url);
    await nameBothPrograms(scene.file('holdfast.yaml'));
    await scene.ok('backup', 'shop-db');
    const after = await writeLedger(newer, [6, 7]);
    await storeLog({ scene, shop: newer });
    const restore = async (folder: string, ...words: readonly string[]): Promise<string> =>
      await scene.ok('restore', 'shop-db', ...words, '--target', scene.file(folder));
    await restore('new', '--at', after[0]?.time ?? '');
    assert.equal(await idsIn('18', scene, 'new'), '1 2 3 4 5 6');
    assert.match(await scene.ok('snapshots', '--points', 'shop-db'), /\d{17,}[^]*\d{17,}/);
    await restore('old', '--at', before[1]?.time ?? '');
    assert.equal(await idsIn('15', scene, 'old'), '1 2 3 4');
  },
);

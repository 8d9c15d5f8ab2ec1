import assert from 'node:assert/strict';
import { chmod, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { postgresPrograms } from '../servers/postgres-program.ts';
import { startPostgresVersion, type PostgresServer } from '../servers/postgres-versions.ts';
import { resticOk } from '../servers/restic.ts';
import { shopScene } from './postgres-scene.ts';
import { tempDir } from './temp-dir.ts';
import type { Scene } from './verifying.ts';

const [rows, fileBytes] = [140_000, 2 ** 30];
const settings = ['autovacuum=off', 'summarize_wal=on', 'max_wal_size=8GB', 'wal_keep_size=2GB'];

/** A table of more than a GiB, a row or two in each of its pages. */
async function startLarge(): Promise<PostgresServer> {
  const server = await startPostgresVersion({ major: '18', settings });
  await server.sql(`create table large (id int, what text) with (fillfactor = 10);
    alter table large alter what set storage plain;
    insert into large select n, repeat(md5(n::text), 25) from generate_series(1, ${rows}) n`);
  await server.sql('create index on large (id); checkpoint');
  const [path = ''] = await server.sql("select pg_relation_filepath('large')");
  const [first, second] = await Promise.all(
    ['', '.1'].map(async (end) => await stat(join(server.data, `${path}${end}`))),
  );
  assert.equal(first?.size, fileBytes);
  assert.ok((second?.size ?? 0) > 0);
  return server;
}

async function sceneFor(folder: string, { sql, url }: PostgresServer, more = ''): Promise<Scene> {
  const [sum = ''] = await sql('select sum(hashtext(id || what)) from large');
  const check = `{ name: sum, sql: "select sum(hashtext(id || what)) from large", equals: ${sum} }`;
  return await shopScene(folder, url, {
    options: `programs: [${await postgresPrograms('18')}], ${more}`,
    more: `    verify: [{ every: 1d, do: restore, checks: [${check}] }]`,
  });
}

async function assertVerified(scene: Scene): Promise<void> {
  const { all } = await scene.verified('shop-db');
  assert.equal(all[0]?.state, 'verified', JSON.stringify(all));
}

/** Backed up whole, by what changed, and on its host: each is verified. */
export async function proveLargeRelation(): Promise<void> {
  await using server = await startLarge();
  await using dir = await tempDir();
  await chmod(dir.path, 0o755);
  const scene = await sceneFor(dir.file('remote'), server);
  await scene.ok('backup', 'shop-db');
  await server.sql(`update large set what = 'changed' where id in (7, ${rows - 7});
    insert into large select n, repeat('x', 800) from generate_series(1, 5000) n`);
  const changed = await sceneFor(dir.file('remote'), server);
  await changed.ok('backup', 'shop-db');
  const at = { repository: changed.file('near'), password: 'secret' };
  const described = await resticOk('0.19.1', at, ['dump', 'latest', '/shop-db/postgres.json']);
  assert.match(described.toString(), /"sinceFull": ?1\b/, 'it was merged');
  await assertVerified(changed);
  const host = await sceneFor(dir.file('host'), server, 'reading: host');
  await host.ok('backup', 'shop-db');
  await assertVerified(host);
}

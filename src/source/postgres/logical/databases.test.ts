import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFullBudget } from '../../../../test/budget.ts';
import {
  postgresMajors,
  startPostgresVersion,
  withoutPostgresVersions,
} from '../../../../test/servers/postgres-versions.ts';
import { connectTo } from '../connect.ts';
import { factsOf, needsOf, seenDatabases } from './databases.ts';

/** Whole backups of 15 and 18 are made elsewhere. */
const majors = isFullBudget ? postgresMajors : (['14', '17'] as const);

for (const major of majors) {
  test(
    `PostgreSQL ${major}: what a dump needs to be loaded is known of a database`,
    { skip: withoutPostgresVersions() },
    async () => {
      await using server = await startPostgresVersion({ major, databases: 'all' });
      for (const text of [
        'create role clerk',
        'create role reader',
        'create database shop owner clerk',
        "alter database shop set work_mem = '5MB'",
      ])
        await server.sql(text);
      await server.sql('create table orders (id int); alter table orders owner to clerk', 'shop');
      await server.sql('create table own (id int); grant select on orders to reader', 'shop');
      const { signal } = new AbortController();
      await using shop = await connectTo({ url: server.url, database: 'shop', use: 'statements', signal });
      const seen = await seenDatabases(shop);
      assert.deepEqual(
        seen.filter(({ lacking }) => lacking === undefined).map(({ name }) => name),
        ['postgres', 'shop'],
      );
      const { liveBytes, ...facts } = await factsOf(shop, Number(major), 'shop');
      assert.ok(liveBytes > 1_000_000);
      assert.deepEqual(facts, {
        name: 'shop',
        owner: 'clerk',
        encoding: 'UTF8',
        collate: 'C',
        ctype: 'C',
        provider: 'c',
        locale: null,
        collationVersion: null,
        settings: ['work_mem=5MB'],
      });
      assert.deepEqual(await needsOf(shop), {
        extensions: [{ name: 'plpgsql', version: '1.0' }],
        roles: ['clerk', 'postgres', 'reader'],
      });
    },
  );
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { postgresMajors, startPostgresVersion, withoutPostgresVersions } from './postgres-versions.ts';

for (const major of postgresMajors) {
  test(
    `PostgreSQL ${major} starts from a package, on a cluster of its own`,
    { skip: withoutPostgresVersions() },
    async () => {
      await using server = await startPostgresVersion({ major });
      const [version = ''] = await server.sql('show server_version');
      assert.equal(version.split('.')[0], major);
      await server.sql('create table things (id int); insert into things values (1), (2)');
      assert.deepEqual(await server.sql('select id from things order by id'), ['1', '2']);
      await server.stop();
      await assert.rejects(server.sql('select 1'));
    },
  );
}

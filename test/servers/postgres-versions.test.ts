import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFullBudget } from '../budget.ts';
import { smallSegments } from './postgres-program.ts';
import { postgresMajors, startPostgresVersion, withoutPostgresVersions } from './postgres-versions.ts';

// The others are started by the tests of the full run, too.
for (const major of isFullBudget ? postgresMajors : (['15', '18'] as const)) {
  test(
    `PostgreSQL ${major} starts from a package, on a cluster of its own`,
    { skip: withoutPostgresVersions() },
    async () => {
      await using server = await startPostgresVersion({ major, initdb: smallSegments });
      const [version = ''] = await server.sql('show server_version');
      assert.equal(version.split('.')[0], major);
      await server.sql('create table things (id int); insert into things values (1), (2)');
      assert.deepEqual(await server.sql('select id from things order by id'), ['1', '2']);
      await server.stop();
      await assert.rejects(server.sql('select 1'));
    },
  );
}

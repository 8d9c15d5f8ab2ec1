import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFullBudget } from './budget.ts';
import { smallSegments } from './servers/postgres-program.ts';
import { startPostgresVersion, withoutPostgresVersions, type PostgresMajor } from './servers/postgres-versions.ts';
import { withoutRestic } from './servers/restic.ts';
import { rehearse, restoredOf } from './support/postgres-rehearsing.ts';
import { clusters, contents, fill, type Variant } from './support/postgres-variants.ts';
import { prove } from './support/proof.ts';

const skip = withoutPostgresVersions() || withoutRestic('0.19.1');
const columns = ['what a healthy cluster has', 'outcome'] as const;

async function outcomeOf(what: string, variant: Variant, major: PostgresMajor): Promise<readonly string[]> {
  const { initdb, settings = [], prepare } = variant;
  await using server = await startPostgresVersion({
    major,
    settings: ['autovacuum=off', ...settings],
    ...(isFullBudget && { databases: 'all' }),
    initdb: initdb ?? smallSegments,
    ...(prepare && { prepare }),
  });
  // One whom settings of the first role don't touch.
  await server.sql('create role backup superuser login');
  await fill(server, variant);
  await using restored = await restoredOf(server, { role: 'backup' });
  const { state, checks } = await rehearse(restored.folder, { major, depth: { tables: 1000 } });
  assert.equal(state, 'verified', `${what}: ${JSON.stringify(checks)}`);
  return [what, state];
}

/** Where there is no template of a new cluster, one is made to be changed. */
const template = isFullBudget ? [] : ['create database template1 template postgres is_template true'];
const together: Variant = {
  statements: [...template, ...Object.values(contents).flatMap(({ statements }) => statements)],
};

test('whatever a healthy cluster holds, it is verified', { skip }, async (context) => {
  const rows = [await outcomeOf('all of the following together', together, '18')];
  for (const [what, variant] of isFullBudget ? Object.entries(contents) : [])
    rows.push(await outcomeOf(what, variant, '17'));
  const table = { title: 'PostgreSQL: healthy clusters', columns, rows };
  prove(context, { claim: 'a healthy cluster is verified', count: `${Object.keys(contents).length} contents`, table });
});

test('however a healthy cluster was made, it is verified', { skip }, async (context) => {
  const rows: (readonly string[])[] = [];
  for (const [what, variant] of Object.entries(clusters).filter((_, at) => isFullBudget || at === 2))
    rows.push(await outcomeOf(what, variant, isFullBudget ? '17' : '18'));
  const table = { title: 'PostgreSQL: healthy clusters', columns, rows };
  prove(context, { claim: 'a cluster of another make is verified', count: `${rows.length} clusters`, table });
});

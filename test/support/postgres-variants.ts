import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PostgresServer } from '../servers/postgres-versions.ts';

/** A healthy cluster unlike others. */
export interface Variant {
  /** Each by itself; `in books: ` names another database, `fails: ` what is refused and leaves its trace. */
  readonly statements: readonly string[];
  readonly initdb?: readonly string[];
  readonly settings?: readonly string[];
  /** Puts something beside what is the server's own. */
  readonly prepare?: (data: string) => Promise<void>;
}

export async function fill(server: PostgresServer, { statements }: Pick<Variant, 'statements'>): Promise<void> {
  for (const statement of statements) {
    const [, fails, database = 'postgres', sql = ''] = /^(fails: )?(?:in (\w+): )?([^]*)$/.exec(statement) ?? [];
    const asked = server.sql(sql, database);
    if (fails === undefined) await asked;
    else await asked.catch(() => undefined); // what it leaves is meant
  }
}

const rows = 'select n as id, n % 7 as kind, md5(n::text) as text from generate_series(1, 2000) n';

const extensions = ['hstore', 'pg_trgm', 'btree_gist', 'btree_gin', 'citext', 'ltree', 'cube', 'intarray'];
const moreExtensions = ['pgcrypto', '"uuid-ossp"', 'bloom', 'postgres_fdw', 'pg_stat_statements', 'isn', 'seg'];

/** What a cluster can hold; all of them go together in one, in this order: the last ones refuse what comes after them. */
export const contents: Readonly<Record<string, Variant>> = {
  'extensions of contrib': {
    statements: [
      ...[...extensions, ...moreExtensions].map((name) => `create extension ${name}`),
      "create table facts as select n as id, hstore('a', n::text) as fact, (n::text)::citext as word from generate_series(1, 500) n",
      'create index on facts using gin (fact)',
      'create index on facts using bloom (id)',
      'create index on facts (word)',
      "create server away foreign data wrapper postgres_fdw options (host '192.0.2.1')",
      'create foreign table far (id int) server away',
    ],
  },
  'an amcheck of its own, and an old one': {
    statements: [
      "create extension amcheck version '1.3'",
      'create database old',
      "in old: create extension amcheck version '1.0'",
    ],
  },
  'several schemas, and names that need quotes': {
    statements: [
      'create schema "Größe . 1"',
      `create table "Größe . 1"."a ""b"" 'c'" as ${rows}`,
      `create index "x y" on "Größe . 1"."a ""b"" 'c'" (id)`,
      'create schema two',
      `create table two.same as ${rows}`,
      `create table public.same as ${rows}`,
      'create database "Bücher 2"',
    ],
  },
  'large objects': {
    statements: ["select lo_from_bytea(0, repeat('x', 100000)::bytea) from generate_series(1, 20)"],
  },
  'unlogged tables': {
    statements: [
      `create unlogged table passing as ${rows}`,
      'create index on passing (id)',
      'create unlogged table numbered (id serial primary key)',
    ],
  },
  'materialised views, one of them never filled': {
    statements: [
      `create materialized view filled as ${rows}`,
      'create unique index on filled (id)',
      `create materialized view never as ${rows} with no data`,
      'create index on never (id)',
    ],
  },
  'partitions': {
    statements: [
      'create table parts (id int, at int, primary key (id, at)) partition by range (at)',
      'create table parts_1 partition of parts for values from (0) to (5)',
      'create table parts_2 partition of parts default',
      'insert into parts select n, n % 10 from generate_series(1, 1000) n',
      'alter table parts detach partition parts_2',
    ],
  },
  'databases that were dropped, that let nobody in, and a changed template': {
    statements: [
      'in template1: create table everywhere as select 1 as id',
      'create database gone',
      'create database shut allow_connections = false connection limit 0',
      'drop database gone',
    ],
  },
  'collations of ICU': {
    statements: [
      "create collation german (provider = icu, locale = 'de-u-co-phonebk')",
      "create collation whatever (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
      `create table names as ${rows}`,
      'create index on names (text collate german)',
      'create index on names (text collate whatever)',
    ],
  },
  'indexes of every kind': {
    statements: [
      `create table kinds as select id, kind, text, point(id, kind) as at, to_tsvector('simple', text) as words from (${rows}) s`,
      'create index on kinds using hash (id)',
      'create index on kinds using gin (words)',
      'create index on kinds using gist (at)',
      'create index on kinds using brin (id)',
      'create index on kinds using spgist (at)',
      'create index on kinds (id) include (text)',
      'create index on kinds (id) where kind = 3',
      'create function helper(int) returns int language sql immutable as $$ select $1 + 1 $$',
      'create function shifted(int) returns int language plpgsql immutable as $$ begin return helper($1); end $$',
      'create table calls (id int)',
      'create index on calls (shifted(id))',
      'insert into calls select generate_series(1, 100)',
      'fails: create unique index concurrently broken on kinds (kind)',
    ],
  },
  'values beside their tables, columns that came and went': {
    statements: [
      'create table wide (id int primary key, text text, other text)',
      "insert into wide select n, repeat(md5(n::text), 3000), repeat('x', 5000) from generate_series(1, 100) n",
      'alter table wide drop column other',
      "alter table wide add column fresh text default 'fresh'",
      'delete from wide where id > 50',
      "update wide set text = 'short' where id < 10",
    ],
  },
  'rows that died, were locked, frozen or never committed': {
    statements: [
      `create table busy as ${rows}`,
      'create index on busy (id)',
      'update busy set kind = kind + 1',
      'delete from busy where id % 2 = 0',
      'vacuum freeze busy',
      'update busy set kind = kind + 1 where id < 500',
      "begin; insert into busy select -n, 0, '' from generate_series(1, 500) n; rollback",
      'begin; select id from busy for share; savepoint one; select id from busy for update; commit',
    ],
  },
  'tables that were emptied in order': {
    statements: [
      `create table emptied as ${rows}`,
      'analyze emptied',
      'delete from emptied',
      'vacuum emptied',
      `create table truncated as ${rows}`,
      'analyze truncated',
      'truncate truncated',
      'create table never_filled (id serial primary key)',
    ],
  },
  'rules, rights by row, domains, what is computed': {
    statements: [
      'create domain small as int check (value < 10)',
      'create table ruled (id int generated always as identity, n small, twice int generated always as (n * 2) stored)',
      'insert into ruled (n) select x % 10 from generate_series(1, 50) x',
      'alter table ruled enable row level security',
      'alter table ruled force row level security',
      'create policy nobody on ruled using (false)',
      'create rule nothing as on delete to ruled do instead nothing',
    ],
  },
  'triggers on events that refuse': {
    statements: [
      "create function refuse() returns event_trigger language plpgsql as $$ begin raise exception 'no'; end $$",
      'create event trigger refusing on ddl_command_start execute function refuse()',
    ],
  },
  'many roles, whose settings end or hide what is read': {
    statements: [
      "do $$ begin for n in 1..300 loop execute format('create role person_%s', n); end loop; end $$",
      `alter role postgres set default_transaction_read_only = on;
      alter role postgres set statement_timeout = '1ms';
      alter role postgres set search_path = nowhere;
      alter database postgres set lock_timeout = '1ms';
      alter role postgres set zero_damaged_pages = on`,
    ],
  },
};

/** What takes a cluster of its own. */
export const clusters: Readonly<Record<string, Variant>> = {
  'an empty cluster': { statements: [] },
  'no checksums, and segments of 64 MiB': {
    initdb: ['--wal-segsize=64'],
    statements: [`create table orders as ${rows}`, 'create index on orders (id)'],
  },
  'prepared transactions': {
    settings: ['max_prepared_transactions=20'],
    statements: [
      'create table orders (id int primary key)',
      'create table plain as select 1 as id',
      "begin; insert into orders select generate_series(1, 100); prepare transaction 'half'",
      "begin; create table secret (id int); prepare transaction 'made'",
      "begin; alter table plain add column more int; prepare transaction 'held'",
      'create table sums as select 1 as id',
    ],
  },
  'huge settings': {
    settings: [
      'max_connections=1000',
      'max_locks_per_transaction=512',
      'max_worker_processes=64',
      'max_wal_senders=50',
      'shared_buffers=256MB',
    ],
    statements: [`create table orders as ${rows}`],
  },
  'ICU for all of it': {
    initdb: ['--locale-provider=icu', '--icu-locale=de', '--data-checksums'],
    statements: [`create table names as ${rows}`, 'create index on names (text)'],
  },
  'the encoding LATIN1': {
    initdb: ['--encoding=LATIN1', '--locale=C', '--data-checksums'],
    statements: [
      'create table names as select chr(223) || n as name from generate_series(1, 500) n',
      'create index on names (name)',
    ],
  },
  'a log and notes in the data directory': {
    settings: ['logging_collector=on'],
    prepare: async (data) => await writeFile(join(data, 'notes of the team.txt'), 'never delete this'),
    statements: [`create table orders as ${rows}`],
  },
};

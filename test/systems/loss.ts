import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { splitWords } from '../../src/secret/words.ts';
import { startPostgres, type Postgres } from '../servers/postgres.ts';
import { filesBelow } from '../support/files-below.ts';
import { runOk } from '../support/run-program.ts';
import { keepLog } from './log.ts';
import type { Stage } from './stage.ts';

/** A database of a component. */
export interface Database {
  readonly component: string;
  readonly name: string;
  /** How it is backed up, in whichever of the ways: 'log' is a physical one that a log goes on from. */
  readonly kept: readonly ('logical' | 'log' | { readonly filename: string })[];
  /** How many rows there are, by table. */
  readonly rows: Readonly<Record<string, number>>;
}

/** Drops it, brings it back from each kind of backup that there is of it, and compares every row. */
export async function loseDatabase(stage: Stage, database: Database): Promise<void> {
  const { postgres } = stage;
  const { component, name, kept, rows } = database;
  const before = await tablesOf(postgres, database);
  assert.deepEqual(Object.fromEntries(Object.entries(before).map(([table, { count }]) => [table, count])), rows);
  if (kept.includes('log')) await keepLog(stage, component, async () => await goOn(stage, database));
  await postgres.sql('postgres', `drop database ${name} with (force)`);
  await assert.rejects(postgres.sql(name, 'select 1'));
  for (const way of kept) {
    await using back = await broughtBack(stage, database, way);
    assert.deepEqual(await tablesOf(back.server, { ...database, name: back.name }), before, JSON.stringify(way));
    if (way === 'log') assert.equal(await back.server.sql(name, 'select id from written_last'), '7');
  }
}

/** What no backup holds yet: a backup is taken, and then something is written. */
async function goOn({ ok, postgres }: Stage, { component, name }: Database): Promise<void> {
  await ok(['backup', component, '--quiet']);
  await postgres.sql(name, 'create table written_last as select 7 as id');
}

interface Back extends AsyncDisposable {
  readonly server: Pick<Postgres, 'sql'>;
  readonly name: string;
}

async function broughtBack(stage: Stage, { component, name }: Database, way: Database['kept'][number]): Promise<Back> {
  const { postgres, dir } = stage;
  const target = dir.file('restored', component);
  const production = { server: postgres, name, [Symbol.asyncDispose]: async () => undefined };
  if (way === 'log') {
    await stage.ok(['restore', component, '--latest', '--target', target]);
    const copy = await startPostgres({ data: join(target, component, 'data') });
    return { server: copy, name, [Symbol.asyncDispose]: async () => await copy[Symbol.asyncDispose]() };
  }
  const at = ['--at', await newestReadable(stage, component, way === 'logical' ? way : undefined)];
  if (way === 'logical') {
    await stage.ok(['restore', component, ...at, '--method', 'logical', '--into', postgres.url(name)]);
    return production;
  }
  await stage.ok(['restore', component, ...at, '--target', target]);
  await postgres.load(name, join(target, component, way.filename));
  return production;
}

/** What stands in an archive alone would have to be thawed first. */
async function newestReadable({ ok, policy }: Stage, component: string, method?: string): Promise<string> {
  const points = JSON.parse(await ok(['snapshots', component, '--points', '--json'])) as readonly Point[];
  const isArchive = (repository: string): boolean => policy.repositories[repository]?.media === 'archive';
  const meant = points.filter((point) => method === undefined || point.method === method);
  const newest = meant.findLast(({ copies }) => copies.some(({ repository }) => !isArchive(repository)));
  return newest?.time ?? assert.fail(`${component} has no point`);
}

interface Point {
  readonly time: string;
  readonly method: string;
  readonly copies: readonly { readonly repository: string }[];
}

interface Table {
  readonly count: number;
  readonly digest: string;
}

async function tablesOf({ sql }: Pick<Postgres, 'sql'>, { name, rows }: Database): Promise<Record<string, Table>> {
  const tables: Record<string, Table> = {};
  for (const table of Object.keys(rows)) {
    const asked = `select count(*) || ' ' || md5(string_agg(t::text, ';' order by t::text)) from ${table} t`;
    const [count = '', digest = ''] = (await sql(name, asked)).split(' ');
    tables[table] = { count: Number(count), digest };
  }
  return tables;
}

/** A Redis that a component dumps as an RDB file. */
export interface Cache {
  readonly component: string;
  readonly filename: string;
}

/** Empties it, and starts it anew from the component's newest backup. */
export async function loseCache(stage: Stage, { component, filename }: Cache): Promise<void> {
  const { redis, dir } = stage;
  const keys = await redis.ask('dbsize');
  const digest = await redis.ask('debug', 'digest');
  await redis.ask('flushall');
  assert.equal(await redis.ask('dbsize'), '0');
  await stage.ok(['restore', component, '--target', dir.file('restored', component)]);
  await redis.replaceBy(dir.file('restored', component, component, filename));
  assert.equal(await redis.ask('dbsize'), keys);
  assert.equal(await redis.ask('debug', 'digest'), digest);
}

/** Removes all files of a component and restores them in their place, to the last byte. */
export async function loseFiles(stage: Stage, component: string): Promise<void> {
  const { options } = stage.policy.components[component]?.source ?? {};
  const paths = (options as { readonly paths: readonly string[] }).paths;
  const before = await Promise.all(paths.map(digestBelow));
  for (const path of paths) await rm(path, { recursive: true });
  await stage.ok(['restore', component, '--in-place', '--no-safety-backup']);
  assert.deepEqual(await Promise.all(paths.map(digestBelow)), before);
  await stage.ok(['confirm']);
}

/** Restores what stands for a server that can't be had here, and compares it with what its command prints. */
export async function restoreDump(stage: Stage, component: string, filename: string): Promise<void> {
  const { options } = stage.policy.components[component]?.source ?? {};
  const [program = '', ...args] = splitWords((options as { readonly dump: string }).dump);
  const target = stage.dir.file('restored', component);
  await stage.ok(['restore', component, '--target', target]);
  assert.deepEqual(await readFile(join(target, component, filename)), await runOk(program, args));
}

/** Of a file, or of all files in a folder. */
async function digestBelow(path: string): Promise<string> {
  const files = (await stat(path)).isDirectory() ? filesBelow(path) : [path];
  const hash = createHash('sha256');
  for (const file of files.toSorted()) hash.update(`${file}\n`).update(await readFile(file));
  return `${files.length} files, ${hash.digest('hex')}`;
}

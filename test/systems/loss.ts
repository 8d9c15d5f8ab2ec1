import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { splitWords } from '../../src/secret/words.ts';
import { filesBelow } from '../support/files-below.ts';
import { runOk } from '../support/run-program.ts';
import type { Stage } from './stage.ts';

/** A database that a component dumps in PostgreSQL's custom format. */
export interface Database {
  readonly component: string;
  readonly name: string;
  readonly filename: string;
  /** How many rows there are, by table. */
  readonly rows: Readonly<Record<string, number>>;
}

/** Drops it, restores the component's newest backup, loads that, and compares every row. */
export async function loseDatabase(stage: Stage, { component, name, filename, rows }: Database): Promise<void> {
  const { postgres, dir } = stage;
  const before = await rowsOf(stage, name, Object.keys(rows));
  await postgres.sql('postgres', `drop database ${name}`);
  await assert.rejects(postgres.sql(name, 'select 1'));
  await stage.ok([
    'restore',
    component,
    '--at',
    await newestReadable(stage, component),
    '--target',
    dir.file('restored', component),
  ]);
  await postgres.load(name, dir.file('restored', component, component, filename));
  assert.deepEqual(await rowsOf(stage, name, Object.keys(rows)), before);
  for (const [table, count] of Object.entries(rows))
    assert.equal(await postgres.sql(name, `select count(*) from ${table}`), String(count), table);
}

/** What stands in an archive alone would have to be thawed first. */
async function newestReadable({ ok, policy }: Stage, component: string): Promise<string> {
  const points = JSON.parse(await ok(['snapshots', component, '--points', '--json'])) as readonly Point[];
  const isArchive = (repository: string): boolean => policy.repositories[repository]?.media === 'archive';
  const newest = points.findLast(({ copies }) => copies.some(({ repository }) => !isArchive(repository)));
  return newest?.time ?? assert.fail(`${component} has no point`);
}

interface Point {
  readonly time: string;
  readonly copies: readonly { readonly repository: string }[];
}

async function rowsOf({ postgres }: Stage, name: string, tables: readonly string[]): Promise<readonly string[]> {
  return await Promise.all(
    tables.map(
      async (table) =>
        await postgres.sql(name, `select md5(string_agg(t::text, ';' order by t::text)) from ${table} t`),
    ),
  );
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

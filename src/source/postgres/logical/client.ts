import { join } from 'node:path';
import type { Clock } from '../../../clock/clock.ts';
import { HoldfastError } from '../../../errors/error.ts';
import { startProgram, type RunningProgram } from '../../../host/process.ts';
import { errorCode, reasonOf } from '../../../host/system-error.ts';
import { withoutSecrets } from '../../../secret/redact.ts';
import { findPrograms } from '../find-programs.ts';
import type { LibpqEnvironment } from './libpq.ts';
import type { ClientPlace } from './options.ts';

type ClientProgram = 'pg_dump' | 'pg_dumpall' | 'pg_restore' | 'psql';

/**
 * PostgreSQL's own clients, on this host, in a container or in a pod. No secret is ever among arguments, which every
 * user of a host can see: a program of this host finds it in its environment, one elsewhere reads it from its standard
 * input before anything else.
 */
export interface Client {
  /** For people. */
  readonly where: string;
  readonly isHere: boolean;
  start(program: ClientProgram, args: readonly string[], options: StartOptions): Promise<RunningProgram>;
}

export interface StartOptions {
  readonly connection: LibpqEnvironment;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly input: 'empty' | 'piped';
  /** Told each line of standard error, without secrets. */
  readonly onErrorLine?: (line: string) => void;
}

export interface WantedClient {
  readonly place: ClientPlace | undefined;
  /** Folders with programs of PostgreSQL. */
  readonly programs: readonly string[];
  readonly major: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

const dumping = ['pg_dump', 'pg_dumpall', 'pg_restore', 'psql'] as const;

/** Of just this major; 'refused' where there is none, with what to install. */
export async function findClient(wanted: WantedClient): Promise<Client> {
  const { place = {} } = wanted;
  if (place.container !== undefined)
    return await inside(wanted, ['docker', 'exec', '-i', place.container], `the container ${place.container}`);
  if (place.pod !== undefined) {
    const namespace = place.namespace === undefined ? [] : [`--namespace=${place.namespace}`];
    return await inside(wanted, ['kubectl', 'exec', '-i', ...namespace, place.pod, '--'], `the pod ${place.pod}`);
  }
  const client = await clientHere(wanted, wanted.major, dumping);
  if (client !== undefined) return client;
  const { major } = wanted;
  throw new HoldfastError('refused', `there is no pg_dump of PostgreSQL ${major} on this host`, {
    next: `Install postgresql-client-${major}, or name its folder, or a container or pod that has it, by \`logical: client:\`. An older one can't dump this server, and what a newer one writes may not load there. Nothing was changed.`,
  });
}

/** One of this host that has these programs; undefined where there is none of this major. */
export async function clientHere(
  { place, programs, signal }: Pick<WantedClient, 'place' | 'programs' | 'signal'>,
  major: number,
  names: readonly [ClientProgram, ...ClientProgram[]],
): Promise<Client | undefined> {
  const named = place?.folder === undefined ? programs : [place.folder, ...programs];
  const folder = await findPrograms(major, named, signal, names);
  if (folder === undefined) return undefined;
  return {
    where: folder,
    isHere: true,
    start: async (program, args, options) =>
      await started(join(folder, program), args, { ...options, env: { ...plain(), ...options.connection } }),
  };
}

/** What a program needs of our own environment: nothing that would lead it elsewhere. */
function plain(): Readonly<Record<string, string>> {
  const kept = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'LD_LIBRARY_PATH', 'TMPDIR'];
  const own = kept.flatMap((name) => {
    const { [name]: value } = process.env;
    return value === undefined ? [] : [[name, value] as const];
  });
  // Neither is there: passwords and services that stand in files of this user are nobody's here.
  return { ...Object.fromEntries(own), PGPASSFILE: '/dev/null/none', PGSERVICEFILE: '/dev/null/none' };
}

/** Reads variables, a line each up to an empty one, and becomes the program. */
const preamble = 'while IFS= read -r line && [ -n "$line" ]; do export "$line"; done; exec "$@"';

async function inside(wanted: WantedClient, exec: readonly string[], where: string): Promise<Client> {
  const [runner = '', ...words] = exec;
  const client: Client = {
    where,
    isHere: false,
    start: async (program, args, { connection, input, ...options }) => {
      const variables = Object.entries(withinOf(connection)).map(([name, value]) => `${name}=${singleLine(value)}\n`);
      const all = [...words, 'sh', '-c', preamble, 'sh', program, ...args];
      const running = await started(runner, all, { ...options, input: 'piped' });
      running.input?.write(`${variables.join('')}\n`);
      if (input === 'empty') running.input?.end();
      return running;
    },
  };
  const said = await textOf(client, 'pg_dump', ['--version'], { ...wanted, connection: {} });
  const major = Number(/\(PostgreSQL\) (\d+)/.exec(said)?.[1]);
  if (major === wanted.major) return client;
  const found = Number.isNaN(major) ? 'none' : `that of PostgreSQL ${major}`;
  throw new HoldfastError('refused', `${where} has ${found}; pg_dump of PostgreSQL ${wanted.major} is needed`);
}

/** What is at a loopback address of this host is, in the server's own container, at its socket. */
function withinOf(connection: LibpqEnvironment): LibpqEnvironment {
  if (!/^(?:localhost|127\..*|::1|\/.*)$/.test(connection['PGHOST'] ?? '')) return connection;
  return Object.fromEntries(Object.entries(connection).filter(([name]) => !/^PG(?:HOST|HOSTADDR|PORT)$/.test(name)));
}

function singleLine(value: string): string {
  if (!/[\n\r]/.test(value)) return value;
  throw new HoldfastError('refused', 'a part of the address has several lines, and can’t be handed into a container');
}

/** All that a program writes, which is little; 'source-failed' unless it succeeds. */
export async function textOf(
  client: Client,
  program: ClientProgram,
  args: readonly string[],
  options: Omit<StartOptions, 'input'>,
): Promise<string> {
  await using running = await client.start(program, args, { onErrorLine: () => undefined, ...options, input: 'empty' });
  const chunks: Uint8Array[] = [];
  for await (const chunk of running.output) chunks.push(chunk);
  await succeeded(program, running, options.signal);
  return Buffer.concat(chunks).toString();
}

/** Resolves once it has ended well; 'source-failed' with its last words otherwise. */
export async function succeeded(program: string, running: RunningProgram, signal: AbortSignal): Promise<void> {
  const { status, how, lastWords } = await running.ended;
  signal.throwIfAborted();
  if (status === 'success') return;
  const words = lastWords.map((line) => `\n  ${withoutSecrets(line)}`).join('');
  throw new HoldfastError('source-failed', `${program} failed: ${how}${words}`);
}

interface Starting extends Omit<StartOptions, 'connection'> {
  readonly env?: Readonly<Record<string, string>>;
}

async function started(program: string, args: readonly string[], options: Starting): Promise<RunningProgram> {
  const { onErrorLine = () => undefined } = options;
  try {
    return await startProgram(program, {
      ...options,
      args,
      interrupts: 'own-session',
      kills: 'session',
      onErrorLine: (line) => onErrorLine(withoutSecrets(line)),
    });
  } catch (cause) {
    if (errorCode(cause) === undefined) throw cause;
    throw new HoldfastError('source-failed', `${program} can't be started: ${reasonOf(cause)}`, { cause });
  }
}

import { readFile, stat } from 'node:fs/promises';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { HoldfastError } from '../../errors/error.ts';
import { errorCode, reasonOf } from '../../host/system-error.ts';
import { neverShow } from '../../secret/redact.ts';
import { Secret } from '../../secret/secret.ts';
import type { Surroundings } from '../source.ts';
import { addressParts } from './logical/libpq.ts';
import { passwordIn } from './password-file.ts';
import { serviceOf } from './service-file.ts';

/**
 * An address as libpq would complete it: by the service that it names, and, where it holds no password, with $PGPASSWORD,
 * else with that of the password file (`passfile` of the address, $PGPASSFILE, ~/.pgpass). Replication has no database of
 * its own here: lines for the database of the address count first, then those for `replication`.
 */
export async function completeAddress(secret: Secret): Promise<string> {
  const url = secret.reveal();
  if (URL.parse(url) === null || !/^postgres(?:ql)?:/.test(url)) return url; // whoever connects says what is wrong with it
  const given = addressParts(url);
  const named = await byService(given);
  const added = new Map([...ofSurroundings(new Map([...named, ...given])), ...named]);
  const parts = new Map([...added, ...given]);
  if (!parts.has('password')) for (const [name, text] of await passwordFor(parts)) added.set(name, text);
  return added.size === 0 && !parts.has('passfile') ? url : withParameters(url, added);
}

/** The address that the policy names, completed. */
export async function readAddress(
  readSecret: Surroundings['readSecret'],
  ...asked: Parameters<Surroundings['readSecret']>
): Promise<string> {
  return await completeAddress(await readSecret(...asked));
}

/** What the address says itself comes first. */
async function byService(given: ReadonlyMap<string, string>): Promise<readonly (readonly [string, string])[]> {
  const service = given.get('service');
  if (service === undefined) return [];
  const parameters = [...(await serviceOf(service, given.get('servicefile')))].filter(([name]) => !given.has(name));
  for (const [name, value] of parameters) if (name === 'password') neverShow(value);
  return parameters;
}

/** Clients differ in which of these they heed: written into the address they count for all of them. */
function ofSurroundings(given: ReadonlyMap<string, string>): readonly (readonly [string, string])[] {
  const { PGHOST: host, PGPORT: port, PGUSER: user } = process.env;
  return lackingIn(given, { host, port, user });
}

function lackingIn(
  given: ReadonlyMap<string, string>,
  defaults: Readonly<Record<string, string | undefined>>,
): readonly (readonly [string, string])[] {
  return Object.entries(defaults).flatMap(([name, text = '']) => {
    const isGiven = given.has(name) || (name === 'host' && given.has('hostaddr'));
    return isGiven || text === '' ? [] : [[name, text] as const];
  });
}

const ofFiles = ['service', 'servicefile', 'passfile'] as const;

function withParameters(url: string, added: ReadonlyMap<string, string>): string {
  const address = new URL(url);
  for (const [name, value] of added) {
    if (name === 'dbname') address.pathname = `/${encodeURI(value)}`;
    else address.searchParams.set(name, value);
  }
  for (const name of ofFiles) address.searchParams.delete(name);
  return address.href;
}

function ofEnvironment(): string | undefined {
  const { PGPASSWORD: password } = process.env;
  return password === '' ? undefined : password;
}

function passwordFile(named: string | undefined): string {
  const { PGPASSFILE: file = '' } = process.env;
  return named ?? (file === '' ? join(homedir(), '.pgpass') : file);
}

/** Where libpq looks for sockets by itself, and what it calls a host that is none. */
const usualSockets: readonly string[] = ['', '/tmp', '/var/run/postgresql', '/run/postgresql'];

/** As a line of the password file names a host. */
export function hostInFile(host: string): string {
  return usualSockets.includes(host) ? 'localhost' : host;
}

/** A password of a file goes nowhere but to the server that its line is for: that is written into the address. */
async function passwordFor(parts: ReadonlyMap<string, string>): Promise<ReadonlyMap<string, string>> {
  const ours = ofEnvironment();
  if (ours !== undefined) return new Map([['password', new Secret(ours).reveal()]]);
  const defaults = { host: 'localhost', port: '5432', user: userInfo().username };
  const missing = new Map(lackingIn(parts, defaults));
  const password = await passwordOf(new Map([...missing, ...parts]));
  return password === undefined ? new Map() : missing.set('password', new Secret(password).reveal());
}

async function passwordOf(parts: ReadonlyMap<string, string>): Promise<string | undefined> {
  const path = passwordFile(parts.get('passfile'));
  const text = await textIn(path);
  if (text === undefined) return undefined;
  const host = parts.get('host') ?? parts.get('hostaddr') ?? '';
  const [user = '', port = ''] = [parts.get('user'), parts.get('port')];
  const wanted = { host: hostInFile(host), port, user };
  const { PGDATABASE: named } = process.env;
  const database = parts.get('dbname') ?? (named || user);
  const found = passwordIn(text, { ...wanted, database }) ?? passwordIn(text, { ...wanted, database: 'replication' });
  if (found !== undefined) await assertPrivate(path);
  return found;
}

/** What isn't there, or is another user's, holds no password for us. */
async function textIn(path: string): Promise<string | undefined> {
  try {
    return (await stat(path)).isFile() ? await readFile(path, 'utf8') : undefined;
  } catch (cause) {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(errorCode(cause) ?? '')) return undefined;
    throw new HoldfastError('refused', `the password file ${path} can’t be read: ${reasonOf(cause)}`, { cause });
  }
}

/** libpq leaves such a file out, and says so. */
async function assertPrivate(path: string): Promise<void> {
  const { mode } = await stat(path);
  if ((mode & 0o077) === 0) return;
  throw new HoldfastError(
    'refused',
    `the password file ${path} may be read by others, so that its passwords don’t count`,
    {
      next: `chmod 0600 ${path}. Nothing was changed.`,
    },
  );
}

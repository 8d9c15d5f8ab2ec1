import { rawPathOf, type RawPath } from '../../../bytes/ids.ts';
import type { Clock } from '../../../clock/clock.ts';
import { HoldfastError } from '../../../errors/error.ts';
import type { StoredContent } from '../../../repository/content.ts';
import type { Entry } from '../../../snapshot/entry.ts';
import type { WalkOptions } from '../../source.ts';
import { connectTo, unhurried, type ServerConnection } from '../connect.ts';
import { fileEntry, folderEntry, storedEntry } from '../entries.ts';
import { serverFacts, type ServerFacts } from '../server.ts';
import { findClient, textOf, type Client } from './client.ts';
import { factsOf, needsOf, seenDatabases, type DatabaseFacts, type Needs } from './databases.ts';
import { describeDumps, fileNameOf, type DumpedDatabase } from './description.ts';
import { dumpDirectory } from './directory.ts';
import { dumpGlobals, type Globals } from './globals.ts';
import { libpqEnvironment } from './libpq.ts';
import type { LogicalOptions } from './options.ts';
import { dumpStream } from './stream.ts';

export interface LogicalBackupOptions {
  readonly url: string;
  readonly component: string;
  readonly clock: Clock;
  readonly programs: readonly string[];
  readonly logical: LogicalOptions;
}

/** What each dump of a database is made with. */
export interface Dumping {
  readonly client: Client;
  readonly options: LogicalBackupOptions;
  readonly walk: WalkOptions & Required<Pick<WalkOptions, 'store'>>;
  readonly server: ServerFacts;
  /** 'standby': what is not logged can't be read there. */
  readonly role: 'primary' | 'standby';
}

/**
 * Dumps as entries below a folder of the component's name:
 *
 * - `databases/NAME.dump`, a file in the format custom, or `databases/NAME.dir`, a folder in the format directory;
 * - `globals.sql`, what belongs to no database: roles, their passwords, tablespaces;
 * - `postgres.json`, what was dumped.
 *
 * Each database is a moment of its own. Each dump was read to its end before its entry is handed out.
 */
export async function* backUpLogically(options: LogicalBackupOptions, walk: WalkOptions): AsyncGenerator<Entry> {
  const { store, signal } = walk;
  if (store === undefined) throw new HoldfastError('internal', 'databases are dumped only to be stored');
  const { url, component, clock, logical, programs } = options;
  const timeNs = clock.nowNs();
  // It stays open, and mostly idle, for as long as the dumps take.
  await using connection = await connectTo({ url, use: 'statements', signal, settings: unhurried });
  const server = await serverFacts(connection);
  const [[recovering] = []] = await connection.rows('select pg_is_in_recovery()');
  const role = recovering === 't' ? 'standby' : 'primary';
  const client = await findClient({ place: logical.client, programs, major: server.major, clock, signal });
  const dumping: Dumping = { client, options, walk: { ...walk, store }, server, role };
  await assertSameServer(dumping, connection);
  if (role === 'standby') {
    const data = { item: `${component}: rows of unlogged tables`, reason: 'a standby has none' };
    walk.listener({ kind: 'note', name: 'left-out', data });
  }
  const names = await databasesMeant(connection, dumping);
  const databases: DumpedDatabase[] = [];
  const inside = (name: string): RawPath => rawPathOf(`${component}/${name}`);
  const facts = { mode: 0o700, uid: 0, gid: 0, mtimeNs: timeNs };
  for (const name of names) {
    const known = await knownOf(dumping, connection, name);
    const path = `databases/${fileNameOf(name)}.${logical.format === 'custom' ? 'dump' : 'dir'}`;
    const dump = logical.format === 'custom' ? dumpStream : dumpDirectory;
    let bytes = 0;
    for (const { file, stored } of await dump(dumping, name)) {
      bytes += stored.sizeBytes;
      yield storedEntry(inside(file === '' ? path : `${path}/${file}`), stored, timeNs);
    }
    if (logical.format === 'directory') yield folderEntry(inside(path), facts);
    databases.push({ ...known, path, format: logical.format, bytes });
  }
  yield folderEntry(inside('databases'), facts);
  const globals: Globals = logical.globals ? await dumpGlobals(dumping, connection) : { kind: 'none' };
  if (globals.kind !== 'none') yield storedEntry(inside('globals.sql'), globals.stored, timeNs);
  const { version, major, database, superuser } = server;
  const described = { version, major, database, superuser, globals: globals.kind, databases };
  yield fileEntry(inside('postgres.json'), describeDumps({ format: 1, method: 'logical', ...described }), timeNs);
}

/** A dump, file by file in the order of their names; '' where it is one. */
export type Dumped = readonly { readonly file: string; readonly stored: StoredContent }[];

async function knownOf(
  { options: { url }, walk: { signal }, server }: Dumping,
  connection: ServerConnection,
  name: string,
): Promise<DatabaseFacts & Needs> {
  await using inside = await connectTo({ url, database: name, use: 'statements', signal, settings: unhurried });
  return { ...(await factsOf(connection, server.major, name)), ...(await needsOf(inside)) };
}

/** Those of the list, or all. What is left out is told: what nobody could dump as a note, what the list wants as a warning. */
async function databasesMeant(
  connection: ServerConnection,
  { options: { logical, component }, walk: { listener } }: Dumping,
): Promise<readonly string[]> {
  const seen = await seenDatabases(connection);
  const wanted = logical.databases === 'all' ? seen.map(({ name }) => name) : logical.databases;
  const byFile = [...new Set(wanted)].toSorted((a, b) =>
    Buffer.compare(Buffer.from(fileNameOf(a)), Buffer.from(fileNameOf(b))),
  );
  const meant = byFile.filter((name) => {
    const found = seen.find((one) => one.name === name);
    const lacking = found === undefined ? 'the server has none of this name' : found.lacking;
    if (lacking === undefined) return true;
    const mayNot = lacking.startsWith('the role');
    if (logical.databases === 'all' && !mayNot)
      listener({ kind: 'note', name: 'left-out', data: { item: `${component}: ${name}`, reason: lacking } });
    else listener({ kind: 'warning', during: 'scan', item: `${component}: ${name}`, message: `left out: ${lacking}` });
    return false;
  });
  if (meant.length > 0) return meant;
  throw new HoldfastError('source-failed', 'there is no database that could be dumped');
}

const identity = 'select system_identifier from pg_control_system()';

/** A container or pod might hold another server than the one at the address. */
async function assertSameServer({ client, options, walk }: Dumping, connection: ServerConnection): Promise<void> {
  if (client.isHere) return;
  const { clock, url } = options;
  const asked = ['--no-psqlrc', '--tuples-only', '--no-align', '--no-password', '--command', identity];
  const found = await textOf(client, 'psql', asked, { connection: libpqEnvironment(url), clock, signal: walk.signal });
  const [[wanted] = []] = await connection.rows(identity);
  if (found.trim() === wanted) return;
  throw new HoldfastError('source-failed', `the server that clients of ${client.where} reach is another one`);
}

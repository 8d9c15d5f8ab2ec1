import type { RehearsedStep } from '../../rehearsal.ts';
import { ServerError, type ServerConnection } from '../connect.ts';
import type { SandboxedServer } from '../sandboxed-server.ts';
import { accusesCopy } from '../surroundings.ts';
import { changedCollations, changedDefault } from './collations.ts';
import { inEach, type Databases } from './databases.ts';
import { firstOf, stepOf } from './step.ts';

const ofTables = { name: 'amcheck of tables', expected: 'no row, and no value beside it, that can’t be' } as const;
const ofIndexes = { name: 'amcheck of indexes', expected: 'every B-tree is in order, and leads to every row' } as const;

/** Where the server's amcheck stands; undefined: why there is none. */
type Amcheck = { readonly schema: string } | { readonly lacking: string };

/**
 * Has the extension amcheck, where this host has its library, look at rows and B-trees as they are (verify_heapam,
 * bt_index_parent_check): what reading alone doesn't see. It is created in the copy.
 */
export async function runAmcheck(server: SandboxedServer, databases: Databases): Promise<readonly RehearsedStep[]> {
  return [
    await stepOf(server, ofTables, async () => await summed(server, databases, checkTables)),
    await stepOf(server, ofIndexes, async () => await summed(server, databases, checkIndexes)),
  ];
}

interface Checked {
  readonly count: number;
  readonly wrong: readonly string[];
  /** What could not be asked, and why. */
  readonly notes: readonly string[];
}

type Check = (connection: ServerConnection, schema: string, server: SandboxedServer) => Promise<Checked>;

async function summed(
  server: SandboxedServer,
  databases: Databases,
  check: Check,
): Promise<Pick<RehearsedStep, 'state' | 'found'>> {
  let lacking: string | undefined;
  const all = await inEach(server, databases, async (connection) => {
    const amcheck = await amcheckIn(connection);
    if ('schema' in amcheck) return await check(connection, amcheck.schema, server);
    lacking = amcheck.lacking;
    return { count: 0, wrong: [], notes: [] };
  });
  const wrong = all.flatMap((one) => one.wrong);
  if (wrong.length > 0) return { state: 'failed', found: firstOf(wrong) };
  if (lacking !== undefined) return { state: 'left out', found: lacking };
  const notes = [...new Set(all.flatMap((one) => one.notes))].map((note) => `; ${note}`).join('');
  return { state: 'passed', found: `${all.reduce((sum, one) => sum + one.count, 0)} of them${notes}` };
}

const present = `select quote_ident(nspname) from pg_extension join pg_namespace on pg_namespace.oid = extnamespace
  where extname = 'amcheck' and to_regprocedure(format('%I.verify_heapam(regclass,boolean,boolean,text,bigint,bigint)', nspname)) is not null`;

const own = 'holdfast_proof';

/** Production's own version of it may be an old one. Its triggers on such commands are not to fire in a copy. */
async function amcheckIn(connection: ServerConnection): Promise<Amcheck> {
  const [[schema] = []] = await connection.rows(present);
  if (typeof schema === 'string') return { schema };
  try {
    await connection.rows('set session_replication_role = replica');
    await connection.rows('drop extension if exists amcheck cascade');
    await connection.rows(`create schema ${own}`);
    await connection.rows(`create extension amcheck schema ${own}`);
    return { schema: own };
  } catch (error) {
    if (!(error instanceof ServerError) || isDamage(error)) throw error;
    return { lacking: `${error.message}; contrib of this major has amcheck, as Debian’s postgresql does` };
  }
}

/** Data that can't be read, and not an extension that can't be created, for whatever reason. */
function isDamage({ sqlState, message }: ServerError): boolean {
  if (sqlState.startsWith('XX00')) return true;
  return sqlState === '58P01' && accusesCopy(sqlState, message) && !/extension/.test(message);
}

const heaps = `select pg_class.oid, format('%I.%I', nspname, relname) from pg_class
  join pg_namespace on pg_namespace.oid = relnamespace
  where relkind in ('r', 'm', 't') and relpersistence = 'p' and relispopulated
  and relam = (select oid from pg_am where amname = 'heap') order by 2`;

const checkTables: Check = async (connection, schema) => {
  const relations = await connection.rows(heaps);
  const wrong: string[] = [];
  for (const [oid, name] of relations) {
    const [first] = await connection.rows(
      `select blkno, offnum, msg from ${schema}.verify_heapam(${oid}::oid::regclass, false, true) limit 1`,
    );
    if (first !== undefined) wrong.push(`${name}: page ${first[0]}, row ${first[1] ?? '–'}: ${first[2]}`);
  }
  return { count: relations.length, wrong, notes: [] };
};

/**
 * One of an expression or a part of the rows isn't held against them: that runs production's functions. Nor is one whose
 * table is large, as each takes a scan of it.
 */
const indexes = `select pg_class.oid, format('%I.%I', nspname, relname),
  indexprs is null and indpred is null and pg_table_size(indrelid) <= 8::bigint << 30, indcollation::oid[]
  from pg_class join pg_namespace on pg_namespace.oid = relnamespace join pg_index on indexrelid = pg_class.oid
  where relkind = 'i' and relpersistence = 'p' and indisvalid and indisready
  and relam = (select oid from pg_am where amname = 'btree') order by 2`;

const otherKinds = `select count(*) from pg_class where relkind = 'i' and relpersistence = 'p'
  and relam <> (select oid from pg_am where amname = 'btree')`;

const checkIndexes: Check = async (connection, schema, server) => {
  const sortsOtherwise = await changedOids(connection, server.description.major);
  const rows = await connection.rows(indexes);
  const asked = rows.filter(([, , , collations]) => !oidsOf(collations).some((oid) => sortsOtherwise.has(oid)));
  const wrong: string[] = [];
  for (const [oid, name, againstRows] of asked) {
    const said = await saidOf(
      connection,
      `${schema}.bt_index_parent_check(${oid}::oid::regclass, ${againstRows === 't'})`,
    );
    if (said !== undefined) wrong.push(`${name}: ${said}`);
  }
  const [[others = '0'] = []] = await connection.rows(otherKinds);
  const inPart = asked.filter(([, , againstRows]) => againstRows !== 't').length;
  const notes = [
    ...(asked.length < rows.length ? ['those of another collation are left out'] : []),
    ...(inPart > 0
      ? ['not held against rows: those of expressions, of a part of the rows, or of more than 8 GiB']
      : []),
    ...(others !== '0' ? ['other kinds than B-trees are left out'] : []),
  ];
  return { count: asked.length, wrong, notes };
};

/** What it found wrong; an error that speaks of no damage is thrown. */
async function saidOf(connection: ServerConnection, call: string): Promise<string | undefined> {
  try {
    await connection.rows(`select ${call}`);
    return undefined;
  } catch (error) {
    if (error instanceof ServerError && error.sqlState.startsWith('XX00')) return error.message;
    throw error;
  }
}

const defaultCollation = '100';

async function changedOids(connection: ServerConnection, major: number): Promise<ReadonlySet<string>> {
  const oids = (await connection.rows(changedCollations)).map(([oid]) => oid ?? '');
  const isDefault = major >= 15 && (await connection.rows(changedDefault)).length > 0;
  return new Set([...oids, ...(isDefault ? [defaultCollation] : [])]);
}

/** `{0,100}`. */
function oidsOf(array: string | null | undefined): readonly string[] {
  return (array ?? '').replaceAll(/[{}]/g, '').split(',');
}

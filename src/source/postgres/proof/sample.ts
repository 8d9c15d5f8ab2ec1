import type { RehearsedStep } from '../../rehearsal.ts';
import { ServerError } from '../connect.ts';
import type { SandboxedServer } from '../sandboxed-server.ts';
import { inEach, type Databases } from './databases.ts';
import { firstOf, stepOf } from './step.ts';

/** So many tables, each as likely as any other. */
export interface Sample {
  readonly tables: number;
  /** 0 up to 1. */
  readonly random: () => number;
}

interface Table {
  readonly database: string;
  readonly name: string;
}

/**
 * Reads tables of the users' in full, at random: the server decodes every value of every row to write it as text, to the
 * end. Reading pages alone sees neither a value that can't be unpacked nor a type whose library is another.
 */
export async function readSample(
  server: Pick<SandboxedServer, 'in' | 'judged'>,
  databases: Pick<Databases, 'names'>,
  { tables, random }: Sample,
): Promise<RehearsedStep> {
  const about = { name: 'sample', expected: `every value of ${tables} tables, taken at random, can be decoded` };
  return await stepOf(server, about, async () => {
    const all = (
      await inEach(server, databases, async (connection, database) =>
        (await connection.rows(usersTables)).map(([name]) => ({ database, name: name ?? '' })),
      )
    ).flat();
    const chosen = taken(all, tables, random);
    const tooLarge: string[] = [];
    let bytes = 0;
    for (const table of chosen) {
      const size = await decode(server, table);
      if (size === undefined)
        tooLarge.push(`${table.name} of ${table.database} has a row that is too large to be written as text`);
      else bytes += size;
    }
    if (tooLarge.length > 0) return { state: 'not run', found: firstOf(tooLarge) };
    const names = chosen.map(({ database, name }) => `${name} of ${database}`);
    return {
      state: 'passed',
      found: `${bytes} bytes of text from ${chosen.length} tables of ${all.length}: ${firstOf(names)}`,
    };
  });
}

const usersTables = `select format('%I.%I', nspname, relname) from pg_class
  join pg_namespace on pg_namespace.oid = relnamespace
  where relkind in ('r', 'm') and relpersistence = 'p' and relispopulated
  and nspname !~ '^pg_' and nspname <> 'information_schema' order by 1`;

function taken(all: readonly Table[], count: number, random: () => number): readonly Table[] {
  const left = [...all];
  const chosen: Table[] = [];
  while (chosen.length < count && left.length > 0) chosen.push(...left.splice(Math.floor(random() * left.length), 1));
  return chosen;
}

/** How many bytes of text it is; undefined where a row is more than a server can write in one piece. */
async function decode(server: Pick<SandboxedServer, 'in'>, { database, name }: Table): Promise<number | undefined> {
  try {
    return await server.in(database, async (connection) => {
      let bytes = 0;
      for await (const answer of connection.command(`copy (select * from only ${name}) to stdout`))
        if (answer.kind === 'bytes') bytes += answer.bytes.length;
      return bytes;
    });
  } catch (error) {
    if (error instanceof ServerError && isTooLarge(error)) return undefined;
    throw error;
  }
}

/** What a length that was overwritten asks for is far beyond what any row is. */
const mostBytes = 2 ** 40;

/** A server makes no piece of memory of more than a gibibyte for a row. */
function isTooLarge({ sqlState, message }: ServerError): boolean {
  const [, size] = /invalid memory alloc request size (\d+)/.exec(message) ?? [];
  if (size !== undefined) return Number(size) < mostBytes;
  return sqlState === '54000' || /enlarge string buffer/.test(message);
}

import { nearest } from '../../../bytes/nearest.ts';
import { HoldfastError } from '../../../errors/error.ts';
import type { ServerConnection } from '../connect.ts';
import { shownName } from './quoting.ts';
import type { NamedPart, PartName } from './names.ts';

/** A relation of the copy. */
export interface Relation {
  readonly oid: string;
  readonly schema: string;
  readonly name: string;
  readonly kind: string;
  /** 'u': its rows are in no backup. */
  readonly persistence: string;
  /** That it belongs to; '' where it is nobody's. */
  readonly extension: string;
}

/** What a part is in the copy. */
export interface FoundPart extends NamedPart {
  /** Of the table; of a schema itself. */
  readonly oid: string;
  readonly schema: string;
  readonly table: string | undefined;
}

const kinds: Readonly<Record<string, string>> = {
  v: 'a view',
  m: 'a materialised view',
  f: 'a foreign table',
  S: 'a sequence',
};

const relations = `select c.oid, nspname, relname, relkind, relpersistence, coalesce(extname, '') from pg_class c
  join pg_namespace n on n.oid = relnamespace
  left join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e'
  left join pg_extension x on x.oid = d.refobjid
  where relkind in ('r', 'p', 'v', 'm', 'f', 'S') and nspname !~ '^pg_(toast|temp)' and nspname <> 'information_schema'
    and nspname <> 'pg_catalog'`;

const schemas = `select oid, nspname from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema'`;

async function relationsIn(server: ServerConnection): Promise<readonly Relation[]> {
  const rows = await server.rows(relations);
  return rows.map(([oid, schema, name, kind, persistence, extension]) => ({
    oid: oid ?? '',
    schema: schema ?? '',
    name: name ?? '',
    kind: kind ?? '',
    persistence: persistence ?? '',
    extension: extension ?? '',
  }));
}

/** What is not there is 'point-not-found', with the nearest name that is. */
export async function findPart(server: ServerConnection, part: NamedPart): Promise<FoundPart> {
  const { schema, table } = part.name;
  if (table !== undefined) {
    const { oid, ...found } = await tableNamed(server, { schema, table });
    return { ...part, oid, schema: found.schema, table: found.name };
  }
  const rows = await server.rows(schemas);
  const found = rows.find(([, name]) => name === schema);
  if (found === undefined || schema === undefined)
    throw notThere(
      'schema',
      part.name,
      nearest(
        schema ?? '',
        rows.map(([, name]) => name ?? ''),
      ),
    );
  return { ...part, oid: found[0] ?? '', schema, table: undefined };
}

async function tableNamed(
  server: ServerConnection,
  { schema, table }: { readonly schema: string | undefined; readonly table: string },
): Promise<Relation> {
  const all = await relationsIn(server);
  const [found, ...others] = all.filter((one) => one.name === table && (schema ?? one.schema) === one.schema);
  if (found === undefined) throw notThere('table', { schema, table }, nearestTable(all, { schema, table }));
  if (others.length > 0) {
    const names = [found, ...others].map((one) => shownName(one.schema, one.name)).join(', ');
    throw new HoldfastError('usage', `which table? There are ${names}`);
  }
  const { [found.kind]: other } = kinds;
  const shown = shownName(found.schema, found.name);
  if (other !== undefined)
    throw new HoldfastError('unsupported', `${shown} is ${other}, not a table`, {
      next: 'Take its schema as a whole by --schema. Nothing was changed.',
    });
  if (found.extension === '') return found;
  const message = `${shown} belongs to the extension ${found.extension}: pg_dump leaves it out, and \`create extension\` makes it`;
  throw new HoldfastError('unsupported', message, {
    next: `Its rows of then are in a copy by \`restore --target\`; \`copy ${shown} to stdout\` takes them out there. Nothing was changed.`,
  });
}

/** The same name elsewhere is nearer than another one here. */
function nearestTable(all: readonly Relation[], { schema, table = '' }: PartName): string | undefined {
  const tables = all.filter(({ kind }) => kinds[kind] === undefined);
  const here = tables.filter((one) => schema === undefined || one.schema === schema);
  const same = tables.find(({ name }) => name.toLowerCase() === table.toLowerCase());
  const guess = nearest(
    table,
    here.map(({ name }) => name),
  );
  const found = same ?? here.find(({ name }) => name === guess);
  return found && shownName(found.schema, found.name);
}

function notThere(kind: 'table' | 'schema', { schema, table }: PartName, guess: string | undefined): HoldfastError {
  const name =
    table === undefined ? shownName(schema ?? '') : shownName(...(schema === undefined ? [] : [schema]), table);
  const meant = guess === undefined ? '' : `; did you mean ${kind === 'schema' ? shownName(guess) : guess}?`;
  return new HoldfastError('point-not-found', `at that moment there is no ${kind} ${name} in this database${meant}`, {
    next: 'Take an earlier moment, or another database by --database. Nothing was changed.',
  });
}

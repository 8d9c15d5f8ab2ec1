import type { TakenTable } from '../../extraction.ts';
import type { ServerConnection } from '../connect.ts';
import { quoted } from '../logical/quoting.ts';
import { rowsIn } from './counts.ts';
import type { FoundPart } from './copy-catalog.ts';
import { possible, takeOff, type ForeignKey } from './foreign-keys.ts';
import { assertWhole, cutLoose, tablesOf, type Table } from './free.ts';
import { assertFree, intoPublic, refused, takenIn } from './living.ts';
import { qualified, shownName } from './quoting.ts';
import {
  dropLacking,
  dropPoliciesOf,
  lackingIn,
  noteBelonging,
  referencesOf,
  rolesOf,
  type Kept,
} from './references.ts';
import { besideOf, rename } from './rename.ts';
import { statisticsOf, type Statistics } from './statistics.ts';
import { sizeOf, tellingOf } from './telling.ts';

/** The parts as they stand in the copy by then: what pg_dump takes there is what the living database can take. */
export interface Shaped {
  readonly tables: readonly ShapedTable[];
  /** Options of pg_dump. */
  readonly selection: readonly string[];
  /** Options of pg_restore. */
  readonly restoring: readonly string[];
  readonly kept: Kept;
  readonly foreignKeys: readonly ForeignKey[];
  readonly statistics: readonly Statistics[];
  readonly bytes: number;
  readonly notes: readonly string[];
  readonly leftOut: readonly string[];
}

export interface ShapedTable extends TakenTable {
  /** Itself or its partitions, by the names that they have by then. */
  readonly members: readonly Table[];
}

interface Shaping {
  readonly parts: readonly FoundPart[];
  readonly kept: Kept;
}

/** Changes the copy alone; 'refused' where the parts need what the living database lacks, or their names are taken. */
export async function shape(
  copy: ServerConnection,
  living: ServerConnection,
  { parts, kept }: Shaping,
): Promise<Shaped> {
  await quieten(copy);
  const before = await allTables(copy, parts);
  const schemas = parts.flatMap(({ oid, table }) => (table === undefined ? [oid] : []));
  await assertWhole(copy, schemas);
  const there = await intoPublic(living, parts);
  const cut = await cutLoose(copy, { tables: before, schemas });
  const notes = [...(await tellingOf(copy, before)), ...cut.notes, ...there.notes];
  for (const part of parts) await rename(copy, part, before, await takenIn(living, part.as?.schema ?? part.schema));
  const tables = await allTables(copy, parts);
  const keys = await possible(living, await takeOff(copy, tables));
  await noteBelonging(copy, { tables: tables.map(({ oid }) => oid), schemas });
  const dropped = await dropLacking(copy, await lackingIn(living, await referencesOf(copy)));
  assertNothingLacks(dropped.needed);
  const policies = await assertRoles(copy, living, kept);
  for (const part of parts) await assertFree(living, { ...part, name: part });
  if (schemas.length === 0) await assertBesideFree(copy, living, tables);
  return {
    tables: taken(before, tables, await rowsIn(copy, tables)),
    selection: selectionOf(parts, tables),
    restoring: there.restoring,
    kept,
    foreignKeys: keys.kept,
    statistics: await statisticsOf(copy, tables),
    bytes: await sizeOf(copy, tables),
    notes,
    leftOut: [...cut.leftOut, ...keys.leftOut, ...dropped.leftOut, ...policies],
  };
}

/** What production does on each change of a schema is nobody's business in a copy. */
async function quieten(copy: ServerConnection): Promise<void> {
  const triggers =
    "select format('alter event trigger %I disable', evtname) from pg_event_trigger where evtenabled <> 'D'";
  for (const [disable] of await copy.rows(triggers)) await copy.rows(disable ?? '');
}

async function allTables(copy: ServerConnection, parts: readonly FoundPart[]): Promise<readonly Table[]> {
  const found = new Map<string, Table>();
  for (const part of parts)
    for (const table of await tablesOf(copy, part))
      // A partition belongs to its table where that is one of the parts, whichever is named first.
      if (table.root !== table.oid || !found.has(table.oid)) found.set(table.oid, table);
  return [...found.values()];
}

function assertNothingLacks(needed: readonly string[]): void {
  if (needed.length === 0) return;
  throw refused(
    `the database of --into lacks what is needed: ${needed.slice(0, 20).join('; ')}`,
    'Make it there first.',
  );
}

async function assertRoles(copy: ServerConnection, living: ServerConnection, kept: Kept): Promise<readonly string[]> {
  const there = new Set((await living.rows('select rolname from pg_roles')).map(([name]) => name ?? ''));
  const missing = (await rolesOf(copy, kept)).filter((name) => !there.has(name));
  if (missing.length > 0)
    throw refused(
      `the server of --into lacks roles that own something or were granted something: ${missing.join(', ')}`,
      'Make them, or say --no-owner and --no-privileges.',
    );
  const { needed, leftOut } = await dropPoliciesOf(copy, there);
  assertNothingLacks(needed);
  return leftOut;
}

/** Indexes, sequences and partitions have names in a schema as tables do. */
async function assertBesideFree(
  copy: ServerConnection,
  living: ServerConnection,
  tables: readonly Table[],
): Promise<void> {
  const beside = Object.groupBy(await besideOf(copy, tables), ({ schema }) => schema);
  for (const [schema, those = []] of Object.entries(beside)) {
    const there = await takenIn(living, schema);
    const both = those.filter(({ name }) => there.has(name)).map(({ name }) => shownName(schema, name));
    if (both.length > 0)
      throw refused(
        `what belongs to the table is there already by name: ${both.join(', ')}`,
        'Give the table another name by --as: they get others then.',
      );
  }
}

function taken(
  before: readonly Table[],
  now: readonly Table[],
  rows: ReadonlyMap<string, number>,
): readonly ShapedTable[] {
  const roots = now.filter(({ oid, root }) => oid === root);
  return roots.map((root) => {
    const members = now.filter((one) => one.root === root.oid);
    const was = before.find(({ oid }) => oid === root.oid) ?? root;
    const sum = members.reduce((all, { schema, name }) => all + (rows.get(qualified(schema, name)) ?? 0), 0);
    return { name: shownName(was.schema, was.name), as: shownName(root.schema, root.name), rows: sum, members };
  });
}

/** Within its quotes a pattern of pg_dump means a name alone. */
function selectionOf(parts: readonly FoundPart[], tables: readonly Table[]): readonly string[] {
  const schemas = parts.flatMap(({ table, schema, as }) => (table === undefined ? [as?.schema ?? schema] : []));
  if (schemas.length > 0) return schemas.map((schema) => `--schema=${quoted(schema)}`);
  return tables.map(({ schema, name }) => `--table=${qualified(schema, name)}`);
}

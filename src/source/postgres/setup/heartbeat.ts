import type { ServerConnection } from '../connect.ts';
import { creationOf, tableName } from '../heartbeat.ts';
import { bySuperuser, fine, identifier, type Looked, type PlannedItem } from './planning.ts';

/** The table of a heartbeat, as the role sees it. */
export interface HeartbeatTable {
  readonly table: string;
  readonly state: 'writable' | 'there, not writable' | 'not there, may be made' | 'not there, may not be made';
}

export async function lookAtHeartbeat(server: ServerConnection, table: string): Promise<HeartbeatTable> {
  const name = tableName(table);
  const [[there, writes, makes] = []] = await server.rows(
    `select to_regclass($1)::text,
      coalesce(has_table_privilege(to_regclass($1)::oid, 'insert') and has_table_privilege(to_regclass($1)::oid, 'update')
        and has_table_privilege(to_regclass($1)::oid, 'select'), false)::text,
      coalesce(has_schema_privilege(to_regnamespace($2)::oid, 'create'), false)::text`,
    [name, name.includes('.') ? name.slice(0, name.lastIndexOf('.')) : await currentSchema(server)],
  );
  if (there !== null) return { table, state: writes === 'true' ? 'writable' : 'there, not writable' };
  return { table, state: makes === 'true' ? 'not there, may be made' : 'not there, may not be made' };
}

/** Quoted; '' where the role sees none. */
async function currentSchema(server: ServerConnection): Promise<string> {
  const [[name] = []] = await server.rows('select quote_ident(current_schema())');
  return name ?? '';
}

/** Backups and the log are as good without: what is missing is told with each of them. */
export function planHeartbeat({ facts, heartbeat }: Looked): readonly PlannedItem[] {
  if (heartbeat === undefined) return [];
  const { table, state } = heartbeat;
  if (state === 'writable') return [fine('heartbeat', `${table} can be written to`)];
  const item = { name: 'heartbeat', found: state, wanted: table, why, effect: 'at once' } as const;
  if (facts.isStandby) return [{ ...item, state: 'advice', found: 'a standby takes no writes' }];
  if (state === 'not there, may be made')
    return [{ ...item, state: 'to apply', change: { do: 'create heartbeat', table } }];
  const grant = `grant select, insert, update on ${tableName(table)} to ${identifier(facts.role.name)};`;
  const text = state === 'there, not writable' ? [grant] : [`${creationOf(table)};`, grant];
  return [{ ...item, state: 'by hand', lines: bySuperuser(...text) }];
}

const why = 'by its newest row that can be brought back the data itself tells how much would be lost';

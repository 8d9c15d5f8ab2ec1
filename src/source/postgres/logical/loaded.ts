import type { DumpedDatabase } from './description.ts';
import { literal, quoted } from './quoting.ts';
import { inTarget, type Target } from './target.ts';

/** Settings whose values the server keeps as a list that is quoted already. */
const lists: ReadonlySet<string> = new Set([
  'local_preload_libraries',
  'search_path',
  'session_preload_libraries',
  'shared_preload_libraries',
  'temp_tablespaces',
  'unix_socket_directories',
]);

/** What was set for the database itself: pg_restore brings it back for one of the same name alone. */
export async function giveSettings(target: Target, { settings }: DumpedDatabase, signal: AbortSignal): Promise<void> {
  await inTarget(target, signal, async (server) => {
    for (const setting of settings) {
      const [, name = '', value = ''] = /^([^=]+)=(.*)$/s.exec(setting) ?? [];
      const to = lists.has(name) && value !== '' ? value : literal(value);
      await server.rows(`alter database ${quoted(target.database)} set ${nameOf(name)} to ${to}`);
    }
  });
}

/** Settings of extensions have a dot. */
function nameOf(setting: string): string {
  return setting.split('.').map(quoted).join('.');
}

const tables = `select format('%I.%I', nspname, relname) from pg_class
  join pg_namespace on pg_namespace.oid = relnamespace
  where relkind = 'r' and nspname not in ('pg_catalog', 'information_schema') and relpersistence = 'p' order by 1`;

/** How many rows came, table by table, once the planner knows what there is. */
export async function countRows(target: Target, signal: AbortSignal): Promise<Readonly<Record<string, number>>> {
  return await inTarget(target, signal, async (server) => {
    await server.rows('analyze');
    const counts: [string, number][] = [];
    for (const [table] of await server.rows(tables)) {
      const [[count] = []] = await server.rows(`select count(*) from ${table}`);
      counts.push([table ?? '', Number(count)]);
    }
    return Object.fromEntries(counts);
  });
}

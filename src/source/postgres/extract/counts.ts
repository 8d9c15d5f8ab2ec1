import type { ServerConnection } from '../connect.ts';
import type { Table } from './free.ts';
import { qualified } from './quoting.ts';

/** Rows of each table that has its own, by its schema and name; without those of what inherits from it. */
export async function rowsIn(
  server: ServerConnection,
  tables: readonly Pick<Table, 'schema' | 'name' | 'kind'>[],
): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  for (const { schema, name } of tables.filter(({ kind }) => kind === 'r')) {
    const [[count] = []] = await server.rows(`select count(*) from only ${qualified(schema, name)}`);
    counts.set(qualified(schema, name), Number(count));
  }
  return counts;
}

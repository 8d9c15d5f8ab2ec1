import { hasCode } from '../../../errors/error.ts';
import type { ServerConnection } from '../connect.ts';
import { quoted } from '../logical/quoting.ts';
import { listed, type Table } from './free.ts';
import { qualified, shownName } from './quoting.ts';

/** Statistics that somebody asked for beside those of each column: pg_dump takes them with a whole schema alone. */
export interface Statistics {
  readonly name: readonly [schema: string, name: string];
  readonly definition: string;
  readonly owner: string;
}

export async function statisticsOf(copy: ServerConnection, tables: readonly Table[]): Promise<readonly Statistics[]> {
  const rows = await copy.rows(`select nspname, stxname, pg_get_statisticsobjdef(s.oid), pg_get_userbyid(stxowner)
    from pg_statistic_ext s join pg_namespace n on n.oid = stxnamespace
    where stxrelid in (${listed(tables.map(({ oid }) => oid))}) order by 1, 2`);
  return rows.map(([schema, name, definition, owner]) => ({
    name: [schema ?? '', name ?? ''],
    definition: definition ?? '',
    owner: owner ?? '',
  }));
}

/** Those that did not come with the tables; resolves with those that can't be made. */
export async function makeStatistics(
  living: ServerConnection,
  all: readonly Statistics[],
  owner: 'as it was' | 'whoever loads',
): Promise<readonly string[]> {
  const there = `select from pg_statistic_ext s join pg_namespace n on n.oid = stxnamespace
    where nspname = $1 and stxname = $2`;
  const leftOut: string[] = [];
  for (const one of all) {
    if ((await living.rows(there, one.name)).length > 0) continue;
    try {
      await living.rows(one.definition);
      if (owner === 'as it was')
        await living.rows(`alter statistics ${qualified(...one.name)} owner to ${quoted(one.owner)}`);
    } catch (error) {
      if (!hasCode(error, 'source-failed')) throw error;
      leftOut.push(`statistics ${shownName(...one.name)}: ${error.message}`);
    }
  }
  return leftOut;
}

import { hasCode, HoldfastError } from '../../../errors/error.ts';
import type { LoadedParts } from '../../extraction.ts';
import type { ServerConnection } from '../connect.ts';
import { inTarget } from '../logical/target.ts';
import { rowsIn } from './counts.ts';
import { putOn } from './foreign-keys.ts';
import type { Living } from './living.ts';
import { qualified } from './quoting.ts';
import type { Shaped } from './shape.ts';
import { makeStatistics } from './statistics.ts';
import { unlessForbidden } from '../server.ts';
import { transfer, type Transfer } from './transfer.ts';

type Loading = Omit<Transfer, 'selection' | 'restoring' | 'bytes' | 'living'> & {
  readonly living: Living;
  readonly shaped: Shaped;
};

/** Loads what was shaped, then puts on what only the living database can judge, and counts what is there. */
export async function loadParts(loading: Loading): Promise<LoadedParts> {
  const { shaped, living, signal } = loading;
  const { owner, privileges } = shaped.kept;
  const restoring = [...shaped.restoring, ...(owner ? [] : ['--no-owner']), ...(privileges ? [] : ['--no-privileges'])];
  const none =
    'It is one transaction: nothing of it is in the database of --into. Run the command again once that is mended.';
  await guided(none, async () => {
    await transfer({ ...loading, ...shaped, restoring });
  });
  const next = 'All rows are loaded. Foreign keys and statistics may be missing, and nothing was counted.';
  return await guided(next, async () => await inTarget(living, signal, async (server) => await finish(server, shaped)));
}

async function finish(server: ServerConnection, shaped: Shaped): Promise<LoadedParts> {
  await server.rows("set lock_timeout = '60s'");
  const owner = shaped.kept.owner ? 'as it was' : 'whoever loads';
  const statistics = await makeStatistics(server, shaped.statistics, owner);
  const leftOut = [...statistics, ...(await putOn(server, shaped.foreignKeys))];
  for (const { schema, name } of shaped.tables.flatMap(({ members }) => members))
    await server.rows(`analyze ${qualified(schema, name)}`);
  return { tables: await counted(server, shaped), notes: [], leftOut };
}

/** What a failure leaves. */
async function guided<Result>(next: string, body: () => Promise<Result>): Promise<Result> {
  try {
    return await body();
  } catch (cause) {
    if (!hasCode(cause, 'source-failed')) throw cause;
    throw new HoldfastError(cause.code, cause.message, { cause, next });
  }
}

/** Row security would hide rows and say nothing: without it the server refuses to count. */
async function counted(server: ServerConnection, { tables }: Shaped): Promise<LoadedParts['tables']> {
  await server.rows('set row_security = off');
  const all: LoadedParts['tables'][number][] = [];
  for (const { members, ...table } of tables) {
    const rows = await unlessForbidden(async () => await rowsIn(server, members));
    all.push({ ...table, loadedRows: rows && [...rows.values()].reduce((sum, count) => sum + count, 0) });
  }
  return all;
}

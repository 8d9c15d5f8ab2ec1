import type { Clock } from '../../../clock/clock.ts';
import { HoldfastError } from '../../../errors/error.ts';
import type { ServerConnection } from '../connect.ts';
import { quoted } from './quoting.ts';
import { inTarget, type Target } from './target.ts';

/**
 * The new database takes the name of the old one, which is kept as NAME_before_TIME. Nobody gets in meanwhile, whoever
 * is in is put out, and both names change in one transaction. Resolves with what is to be known, as how to go back.
 */
export async function switchNames(
  target: Target,
  name: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { url, maintenance, database } = target;
  if (database === name) return [`${name} has its name already: there was none of it before`];
  return await inTarget({ url, database: maintenance }, signal, async (server) => {
    const found = await server.rows('select from pg_database where datname = $1', [name]);
    if (found.length === 0) {
      await putOut(server, [database]);
      await server.rows(`alter database ${quoted(database)} rename to ${quoted(name)}`);
      return [`${database} is ${name} now; there was none of this name before`];
    }
    const kept = keptName(name, clock);
    await exchanged(server, { name, database, kept });
    return [
      `${name} is what was loaded; what it was before is kept as ${kept}`,
      `to go back, in the database ${maintenance}: alter database ${quoted(name)} rename to ${quoted(database)}; alter database ${quoted(kept)} rename to ${quoted(name)}`,
      `once nobody wants it back: drop database ${quoted(kept)}`,
    ];
  });
}

interface Exchange {
  readonly name: string;
  readonly database: string;
  readonly kept: string;
}

async function exchanged(server: ServerConnection, { name, database, kept }: Exchange): Promise<void> {
  await server.rows(`alter database ${quoted(name)} allow_connections false`);
  try {
    await putOut(server, [name, database]);
    await server.rows('begin');
    await server.rows(`alter database ${quoted(name)} rename to ${quoted(kept)}`);
    await server.rows(`alter database ${quoted(database)} rename to ${quoted(name)}`);
    await server.rows(`alter database ${quoted(kept)} allow_connections true`);
    await server.rows('commit');
  } catch (cause) {
    await server.rows('rollback');
    await server.rows(`alter database ${quoted(name)} allow_connections true`);
    if (!(cause instanceof HoldfastError)) throw cause;
    const next = `${name} is as it was; what was loaded stands beside it as ${database}.`;
    throw new HoldfastError(cause.code, `${name} could not be switched: ${cause.message}`, { cause, next });
  }
}

/** Renaming waits some seconds for those who are just leaving. */
async function putOut(server: ServerConnection, databases: readonly string[]): Promise<void> {
  for (const database of databases)
    await server.rows('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [database]);
}

/** At most 63 bytes, as every name of a database. */
function keptName(name: string, clock: Clock): string {
  const suffix = `_before_${new Temporal.Instant(clock.nowNs()).toString({ smallestUnit: 'second' }).replaceAll(/[-:Z]/g, '')}`;
  let base = name;
  while (Buffer.byteLength(base + suffix) > 63) base = base.slice(0, -1);
  return base + suffix;
}

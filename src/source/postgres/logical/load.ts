import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../../clock/clock.ts';
import { hasCode, HoldfastError } from '../../../errors/error.ts';
import type { Loaded, PlannedLoad, WantedLoad } from '../../loading.ts';
import type { WalkOptions } from '../../source.ts';
import type { ServerConnection } from '../connect.ts';
import { clientHere, textOf, type Client } from './client.ts';
import { chosen, parseLogicalDescription, type DumpedDatabase, type LogicalDescription } from './description.ts';
import { libpqEnvironment } from './libpq.ts';
import type { LogicalOptions } from './options.ts';
import { warnOfRights } from './rights.ts';
import { switchNames } from './switch.ts';
import { assertLoadable, createDatabase, dropDatabase, inTarget, targetOf, type Target } from './target.ts';
import { countRows, giveSettings } from './loaded.ts';
import { completeAddress } from '../address.ts';

export interface LoadingOptions {
  readonly component: string;
  readonly clock: Clock;
  readonly programs: readonly string[];
  readonly logical: LogicalOptions;
}

interface Planned {
  readonly options: LoadingOptions;
  readonly described: LogicalDescription;
  readonly database: DumpedDatabase;
  readonly wanted: WantedLoad;
  readonly target: Target;
  readonly client: Client;
}

interface Planning {
  readonly restored: string;
  readonly wanted: WantedLoad;
  readonly walk: WalkOptions;
}

/** Into a new database of whichever server, of the dump's major or a later one. */
export async function planLoad(
  options: LoadingOptions,
  { restored, wanted: asked, walk: { listener, signal } }: Planning,
): Promise<PlannedLoad> {
  const { component } = options;
  const described = parseLogicalDescription(await readFile(join(restored, component, 'postgres.json'), 'utf8'));
  const database = chosen(described, asked.part);
  const wanted = { ...asked, ...withinPolicy(options.logical, asked) };
  const target = await unchanged(async () => {
    const found = await targetOf(await completeAddress(asked.into), signal);
    await assertLoadable(found, { described, database, wanted, signal });
    const { url, maintenance } = found;
    const warn = async (server: ServerConnection): Promise<void> => await warnOfRights(server, { component, listener });
    await inTarget({ url, database: maintenance }, signal, warn);
    return found;
  });
  const client = await clientFor(options, described, target, signal);
  const planned = { options, described, database, wanted, target, client };
  return {
    target: target.shown,
    needs: `${component}/${database.path}`,
    bytes: database.bytes,
    load: async (folder, walk) => await load(planned, join(folder, component, database.path), walk.signal),
  };
}

/** A server that can't be asked was not changed: nothing has failed yet. */
async function unchanged<Result>(ask: () => Promise<Result>): Promise<Result> {
  try {
    return await ask();
  } catch (cause) {
    if (!hasCode(cause, 'source-failed')) throw cause;
    throw new HoldfastError('refused', cause.message, { cause });
  }
}

function withinPolicy(
  { owner, privileges }: LogicalOptions,
  asked: WantedLoad,
): Pick<WantedLoad, 'owner' | 'privileges'> {
  return {
    owner: owner ? asked.owner : 'whoever loads',
    privileges: privileges ? asked.privileges : 'none',
  };
}

/** pg_restore knows dumps of its own major and before, and writes statements of its own: the target's, else one between. */
export async function clientFor(
  { programs, logical }: Pick<LoadingOptions, 'programs' | 'logical'>,
  described: Pick<LogicalDescription, 'major'>,
  target: Pick<Target, 'major'>,
  signal: AbortSignal,
): Promise<Client> {
  for (let major = target.major; major >= described.major; major -= 1) {
    const found = await clientHere({ place: logical.client, programs, signal }, major, ['pg_restore']);
    if (found !== undefined) return found;
  }
  throw new HoldfastError('refused', `there is no pg_restore of PostgreSQL ${target.major} on this host`, {
    next: `Install postgresql-client-${target.major}, or name its folder by \`programs:\`. Nothing was changed.`,
  });
}

async function load(planned: Planned, dump: string, signal: AbortSignal): Promise<Loaded> {
  const { target, database, wanted, options } = planned;
  await unchanged(async () => await createDatabase(target, { dumped: database, wanted, signal }));
  let rows: Loaded['rows'];
  try {
    await restoreInto(planned, dump, signal);
    await giveSettings(target, database, signal);
    rows = await countRows(target, signal);
  } catch (error) {
    throw await cleared(target, error);
  }
  const notes = wanted.afterwards === 'switch' ? await switchNames(target, database.name, options.clock, signal) : [];
  return { rows, notes };
}

/** The first error ends it: half a database is none. */
async function restoreInto(
  { client, target, wanted, options }: Planned,
  dump: string,
  signal: AbortSignal,
): Promise<void> {
  const args = [
    '--exit-on-error',
    '--no-password',
    `--jobs=${wanted.jobs}`,
    ...(wanted.owner === 'as it was' ? [] : ['--no-owner']),
    ...(wanted.privileges === 'as they were' ? [] : ['--no-privileges']),
    `--dbname=dbname='${target.database.replaceAll(/[\\']/g, String.raw`\$&`)}'`,
    dump,
  ];
  const connection = libpqEnvironment(target.url, target.database);
  await textOf(client, 'pg_restore', args, { connection, clock: options.clock, signal });
}

/** What failed, once what was made is gone again; an abort too, whose own signal would end that at once. */
async function cleared(target: Target, error: unknown): Promise<unknown> {
  if (target.before === 'none') await dropDatabase(target);
  if (!(error instanceof HoldfastError)) return error;
  const next =
    target.before === 'none'
      ? `The new database ${target.database} was removed again; all else is as it was.`
      : `The database ${target.database} was there and empty, and may hold a part now: make it anew. All else is as it was.`;
  return new HoldfastError(error.code, error.message, { cause: error, next });
}

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../../clock/clock.ts';
import type { JudgedParts, PreparedParts, RestoredIn, WantedParts } from '../../extraction.ts';
import type { WalkOptions } from '../../source.ts';
import { clientHere, type Client } from '../logical/client.ts';
import { clientFor } from '../logical/load.ts';
import type { LogicalOptions } from '../logical/options.ts';
import { warnOfRights } from '../logical/rights.ts';
import type { Copying, ExpectedCopy } from './copy.ts';
import { findPart, type FoundPart } from './copy-catalog.ts';
import { asking, assertFree, livingAt, refused, type Living } from './living.ts';
import { namedParts } from './names.ts';
import { loadParts } from './load-parts.ts';
import type { Kept } from './references.ts';
import { shape } from './shape.ts';
import { completeAddress } from '../address.ts';

export interface ExtractionOptions {
  readonly component: string;
  readonly clock: Clock;
  readonly programs: readonly string[];
  readonly logical: LogicalOptions;
  readonly copying: Copying;
}

interface Judged {
  readonly expected: ExpectedCopy;
  readonly living: Living;
  readonly dumping: Client;
  readonly loading: Client;
}

/** Before anything large is fetched. */
export async function judgeParts(
  options: ExtractionOptions,
  restored: string,
  wanted: WantedParts,
  { listener, signal }: WalkOptions,
): Promise<JudgedParts> {
  const { component } = options;
  const { expected, living } = await judge(options, restored, wanted, signal);
  await asking(living, signal, async (server) => await warnOfRights(server, { component, listener }));
  return { bytes: expected.bytes };
}

/** By what the living database has, and this host. */
async function judge(
  options: ExtractionOptions,
  restored: string,
  wanted: WantedParts,
  signal: AbortSignal,
): Promise<Judged> {
  const parts = namedParts(wanted.parts);
  const description = await readFile(join(restored, options.component, 'postgres.json'), 'utf8');
  const expected = options.copying.expect(description, wanted.database);
  const { major } = expected;
  const living = await livingAt(await completeAddress(wanted.into), major, signal);
  await asking(living, signal, async (server) => {
    for (const part of parts) await assertFree(server, part);
  });
  const dumping = await clientHere({ place: options.logical.client, programs: options.programs, signal }, major, [
    'pg_dump',
  ]);
  if (dumping === undefined)
    throw refused(
      `there is no pg_dump of PostgreSQL ${major} on this host`,
      `Install postgresql-client-${major}, or name its folder by \`programs:\`.`,
    );
  return { expected, living, dumping, loading: await clientFor(options, expected, living, signal) };
}

/** The copy comes up in the sandbox, where nobody else is: there it is changed until it is what the living database can take. */
export async function prepareParts(
  options: ExtractionOptions,
  place: RestoredIn,
  wanted: WantedParts,
  walk: WalkOptions,
): Promise<PreparedParts> {
  const { signal } = walk;
  const judged = await judge(options, place.restored, wanted, signal);
  const copied = await options.copying.bringUp(place, wanted.database, signal);
  const shaped = await copied.in(copied.database, async (copy) => {
    await copy.rows("select set_config('search_path', '', false)");
    const parts: FoundPart[] = [];
    for (const part of namedParts(wanted.parts)) parts.push(await findPart(copy, part));
    return await asking(
      judged.living,
      signal,
      async (living) => await shape(copy, living, { parts, kept: keptOf(options, wanted) }),
    );
  });
  const { notes, leftOut } = shaped;
  const tables = shaped.tables.map(({ name, as, rows }) => ({ name, as, rows }));
  const load: PreparedParts['load'] = async ({ signal: until, listener }) =>
    await loadParts({
      ...judged,
      shaped,
      copy: copied,
      clock: options.clock,
      signal: until,
      listener,
    });
  return { target: judged.living.shown, tables, notes, leftOut, load };
}

/** The policy may say that nobody is given anything. */
function keptOf({ logical }: ExtractionOptions, { owner, privileges }: WantedParts): Kept {
  return {
    owner: logical.owner && owner === 'as it was',
    privileges: logical.privileges && privileges === 'as they were',
  };
}

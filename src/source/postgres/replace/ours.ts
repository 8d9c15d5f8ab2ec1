import { existsSync, realpathSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError } from '../../../errors/error.ts';
import type { OtherSeat } from '../../in-place.ts';
import { parseControl, type Control } from '../host/control.ts';

/** By the timeline that it goes on with. What can't be read any more accuses nobody: its disk is why it is restored. */
export async function epochOfOurs(
  place: string,
  { component, systemIdentifier }: { readonly component: string; readonly systemIdentifier: string },
): Promise<number | undefined> {
  for (const signal of ['standby.signal', 'recovery.signal'])
    if (existsSync(join(place, signal)))
      throw new HoldfastError('refused', `${component}: ${place} holds a standby, or a cluster that recovers`, {
        next: `A standby is made anew by \`restore ${component} --as-standby --target DIR\`. Nothing was changed.`,
      });
  const standing = await standingAt(join(place, 'global/pg_control'));
  const found = standing?.systemIdentifier;
  if (found === undefined || found === systemIdentifier) return standing?.goesOnAs;
  throw new HoldfastError(
    'refused',
    `${component}: ${place} holds another cluster, ${found}, not ${systemIdentifier}`,
    {
      next: 'Move it away, or restore by --target. Nothing was changed.',
    },
  );
}

/** Undefined where a pg_control isn’t there, or tells nothing any more. */
export async function standingAt(control: string): Promise<Control | undefined> {
  return existsSync(control) ? parseControl(await readFile(control)) : undefined;
}

export async function assertOurs(component: string, place: string, stream: string): Promise<void> {
  await epochOfOurs(place, { component, systemIdentifier: stream });
}

/** By a pg_control that was taken out. */
export async function goesOnAs(control: string): Promise<number | undefined> {
  return (await standingAt(control))?.goesOnAs;
}

/** What stands there may be another cluster’s, which would have it moved away from under it. */
export async function assertLinked(
  place: string,
  { location, name }: Pick<OtherSeat, 'location' | 'name'>,
): Promise<void> {
  const links = join(place, 'pg_tblspc');
  const names = existsSync(links) ? await readdir(links) : [];
  if (names.some((one) => existsSync(join(links, one)) && realpathSync(join(links, one)) === location)) return;
  throw new HoldfastError('refused', `${join(location, name)} is a tablespace that ${place} doesn’t link to`, {
    next: 'If no cluster uses it, move it away, and run the command again. Nothing was changed.',
  });
}

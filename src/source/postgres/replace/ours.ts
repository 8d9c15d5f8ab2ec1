import { existsSync, realpathSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError, hasCode } from '../../../errors/error.ts';
import { errorCode } from '../../../host/system-error.ts';
import type { OtherSeat } from '../../in-place.ts';
import { parseControl, type Control } from '../host/control.ts';
import { assertCluster } from './assert-cluster.ts';
import { clustersInLog, givingUp } from './old-log.ts';

/**
 * By the timeline that it goes on with. What can't be read any more accuses nobody: its disk is why it is restored. Without
 * pg_control its log may still say whose it is.
 */
export async function epochOfOurs(
  place: string,
  { component, systemIdentifier }: { readonly component: string; readonly systemIdentifier: string },
): Promise<number | undefined> {
  assertRecoversNot(component, place);
  await assertCluster(component, place);
  const standing = await knownAt(place, component);
  const others = standing === undefined ? await clustersInLog(place) : [standing.systemIdentifier];
  const [found] = others;
  if (found === undefined || others.includes(systemIdentifier)) return standing?.goesOnAs;
  throw notOurs(`${component}: ${place} holds another cluster, ${found}, not ${systemIdentifier}`);
}

function notOurs(message: string): HoldfastError {
  return new HoldfastError('refused', message, { next: 'Move it away, or restore by --target. Nothing was changed.' });
}

function assertRecoversNot(component: string, place: string): void {
  if (existsSync(join(place, 'standby.signal')))
    throw new HoldfastError('refused', `${component}: ${place} holds a standby, by its standby.signal`, {
      next: `A standby is made anew by \`restore ${component} --as-standby --target DIR\`. If a cluster is to run by itself there: ${givingUp(place)} Nothing was changed.`,
    });
  const signal = join(place, 'recovery.signal');
  if (existsSync(signal))
    throw new HoldfastError('refused', `${component}: ${place} holds a cluster that recovers, by its recovery.signal`, {
      next: `If that recovery is given up: ${givingUp(place)} If ${signal} was left by mistake, and no server was started there since, remove it. Nothing was changed.`,
    });
}

/** 'refused' where it is whole, and of a version that nobody here knows. */
async function knownAt(place: string, component: string): Promise<Control | undefined> {
  try {
    return await standingAt(join(place, 'global/pg_control'));
  } catch (error) {
    if (!hasCode(error, 'unsupported')) throw error;
    throw notOurs(`${component}: ${place} holds a cluster of another version: ${error.message}`);
  }
}

/** Undefined where a pg_control isn’t there, or tells nothing any more. */
export async function standingAt(control: string): Promise<Control | undefined> {
  try {
    return parseControl(await readFile(control));
  } catch (error) {
    const code = errorCode(error);
    if (code === undefined) throw error;
    if (code !== 'EACCES' && code !== 'EPERM') return undefined;
    throw new HoldfastError('refused', `${control} may not be read by this user`, {
      cause: error,
      next: 'Run the command as the user of the server. Nothing was changed.',
    });
  }
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

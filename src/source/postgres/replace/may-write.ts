import { join } from 'node:path';
import { checkGrant, hadGrant } from '../grant.ts';
import { standingAt } from './ours.ts';
import { withoutLinks } from './without-links.ts';

/**
 * Whether what stands in a place has the grant. Of a disk that was lost, or of a cluster whose pg_control tells nothing any
 * more, the grant itself tells whose it is: that cluster’s, in this place, on this host.
 */
export async function mayWrite(
  component: string,
  stateFolder: string,
  { place, stream }: { readonly place: string; readonly stream: string },
): Promise<boolean> {
  if ((await standingAt(join(place, 'global/pg_control'))) !== undefined)
    return (await checkGrant(stateFolder, component, place)).state === 'ok';
  return await hadGrant(stateFolder, component, { path: withoutLinks(place), systemIdentifier: stream });
}

/** Why what stands there now may not write the log, and the command that lets it; undefined where it may. */
export async function whyNotWriting(
  component: string,
  stateFolder: string,
  place: string,
): Promise<string | undefined> {
  const verdict = await checkGrant(stateFolder, component, place);
  if (verdict.state === 'ok') return undefined;
  const adopt = `holdfast postgres setup ${component} --apply --adopt ${place}`;
  return `${verdict.reason}: nothing that it hands over is stored, and its pg_wal grows, until you say \`${adopt}\``;
}

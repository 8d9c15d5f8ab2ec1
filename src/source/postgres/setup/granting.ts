import { join } from 'node:path';
import type { HeldStream } from '../../setup.ts';
import { fine, type Looked, type PlannedItem } from './planning.ts';

const name = 'writer grant';

/** Which data directory may write the log: a person’s word is needed wherever it could be a copy. */
export function planGrant(looked: Looked): PlannedItem {
  const { here, grant, uid } = looked;
  if (here.state !== 'here') return byHand(looked, here.reason, onItsHost(looked, 'as the user of its server'));
  const { path, uid: owner } = here.directory;
  if (grant?.state === 'ok') return fine(name, `${path} has it`);
  const found = grant?.reason ?? 'none';
  if (uid !== owner) return byHand(looked, found, onItsHost(looked, `as user ${owner}, whose server it is`));
  const doubt = doubtAbout(looked);
  if (doubt !== undefined) return byHand(looked, doubt, adoption(looked, path));
  return { ...itemOf(looked), state: 'to apply', found, change: { do: 'grant', dataDirectory: path } };
}

function itemOf({ component, wanted }: Looked): Pick<PlannedItem, 'name' | 'wanted' | 'why' | 'effect'> {
  return {
    name,
    wanted: join(wanted.stateFolder, 'grants', `${component}.json`),
    why: 'a copy has production’s identity: without a grant to one directory it would write into production’s log',
    effect: 'at once',
  };
}

type Lines = NonNullable<PlannedItem['lines']>;

function byHand(looked: Looked, found: string, lines: Lines): PlannedItem {
  return { ...itemOf(looked), state: 'by hand', found, lines };
}

/** Why this directory may be a copy; undefined where a person has said that it is to write, or nothing says otherwise. */
function doubtAbout({ component, grant, heldStream, wanted }: Looked): string | undefined {
  if (wanted.adopt !== undefined) return undefined;
  if (grant?.state === 'refused' && grant.because !== 'none') return grant.reason;
  return heldStream.state === 'not held' ? undefined : inWords(heldStream, component);
}

/** No grant is here, and yet there may be a log of this cluster: another host’s. */
function inWords(held: Exclude<HeldStream, { readonly state: 'not held' }>, component: string): string {
  if (held.state === 'held') return `none, and ${held.by} holds a log of this cluster already: this may be a copy`;
  return `none, and whether a log of ${component} is there already is not known: ${held.reason}`;
}

function adoption(looked: Looked, directory: string): Lines {
  const where = 'if this is a copy, postgresql.conf; if it has taken production’s place for good, a shell';
  return {
    where,
    text: ['archive_mode = off', lineFor(looked, '--adopt', directory, '--state-dir', looked.wanted.stateFolder)],
  };
}

/** By that user’s own state folder, unless one is named: another’s can’t be written. */
function onItsHost(looked: Looked, where: string): Lines {
  return { where: `on the database’s own host, ${where}`, text: [lineFor(looked)] };
}

function lineFor({ component, wanted: { program } }: Looked, ...more: readonly string[]): string {
  return [program.path, 'postgres', 'setup', component, '--apply', ...more, ...program.options].join(' ');
}

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Following } from '../../recovery.ts';
import { parseDescription } from '../description.ts';
import { findPrograms } from '../find-programs.ts';
import { addressParts } from '../logical/libpq.ts';
import { standbyRestoreCommand } from '../setup/commands.ts';
import { hostInFile } from '../address.ts';
import { standbySlotName } from '../slot-name.ts';
import { assertPlain } from './assert-plain.ts';
import { finishStandby } from './data-files.ts';
import type { RecoverOptions } from './recover.ts';
import { dataIn, Workplace } from './workplace.ts';

export interface Primary extends RecoverOptions {
  /** Of the server that is followed. */
  readonly address: string;
}

/**
 * Of an address what says whom to follow as whom: it stands in a file and shows to monitoring roles, so
 * that the password isn't in it.
 */
export function conninfoOf(address: string, component: string): string {
  const left = new Set(['password', 'sslpassword', 'dbname', 'application_name']);
  const parts = [...addressParts(address)].filter(([name]) => !left.has(name));
  const all = [...parts, ['application_name', component] as const];
  return all.map(([name, text]) => `${name}='${text.replace(/['\\]/g, '\\$&')}'`).join(' ');
}

/** Makes a data directory a standby's: it catches up by the log that is held, and streams from the primary then. */
export async function followPrimary(
  { component, programs, address }: Primary,
  { folder, fetching, epochs, signal }: Following,
): Promise<readonly string[]> {
  const { major, tablespaces, timeline } = parseDescription(await readFile(join(folder, 'postgres.json'), 'utf8'));
  const target = targetTimeline(timeline, fetching === undefined ? undefined : epochs);
  await assertPlain({ data: dataIn(folder), where: 'a copy', major });
  using at = Workplace.open(folder);
  finishStandby(at, {
    archive_mode: 'off',
    primary_conninfo: conninfoOf(address, component),
    primary_slot_name: '',
    restore_command: fetching === undefined ? '' : standbyRestoreCommand(component, fetching),
    recovery_target_timeline: target,
    // Production's would clear what is not this server's.
    archive_cleanup_command: '',
    recovery_end_command: '',
    ...(tablespaces.some(({ location }) => location !== undefined) && { allow_in_place_tablespaces: 'on' }),
  });
  const found = await findPrograms(major, programs, signal);
  return [
    ...passwordLine(address),
    ...linesFor(dataIn(folder), join(found ?? '', 'pg_ctl')),
    ...slotLines(component),
    ...timelineLines(target),
  ];
}

/**
 * `latest` is what a server asks for the history of each next number until nobody has one, and follows its primary through
 * promotions by. Where that leads past the timeline that lives, for the log holds one that was left, the living one is named.
 */
export function targetTimeline(begun: number, epochs: Following['epochs']): string {
  if (epochs === undefined) return 'latest';
  let latest = begun;
  while (epochs.known.includes(latest + 1)) latest += 1;
  return latest === epochs.living ? 'latest' : `${epochs.living}`;
}

/** A number is followed to its end and no further; what comes next has a higher one than any that was left. */
function timelineLines(target: string): readonly string[] {
  if (target === 'latest') return [];
  return [
    `it follows timeline ${target} alone, for the log holds a higher one that was left: once the primary is promoted, \`recovery_target_timeline = 'latest'\` in its postgresql.auto.conf and a restart have it follow; before that it would follow the one that was left`,
  ];
}

/** The line that libpq looks for, which means `localhost` by the usual socket, and parts fields by colons. */
export function passwordLine(address: string): readonly string[] {
  const parts = addressParts(address);
  if (!parts.has('password')) return [];
  const [host = '', port = '5432', user] = ['host', 'port', 'user'].map((name) => parts.get(name));
  const fields = [hostInFile(host), port, 'replication', ...(user === undefined ? [] : [user])];
  const line = fields.map((field) => field.replace(/[:\\]/g, String.raw`\$&`)).join(':');
  return [
    `its password is in no file yet: \`${line}:${user === undefined ? '*:' : ''}PASSWORD\` in ~/.pgpass of the server’s user, mode 0600`,
  ];
}

function linesFor(data: string, program: string): readonly string[] {
  return [
    `start it as the user of the server: \`${program} -D ${data} -l ${data}/../standby.log start\`; beside the primary with \`-o '-p PORT'\``,
    '`select status from pg_stat_wal_receiver` says `streaming` there once it has caught up',
  ];
}

function slotLines(component: string): readonly string[] {
  const name = standbySlotName(component);
  return [
    `so that the primary keeps what it lacks: \`select pg_create_physical_replication_slot('${name}')\` there, \`primary_slot_name = '${name}'\` here`,
  ];
}

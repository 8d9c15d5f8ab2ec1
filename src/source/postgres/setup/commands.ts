import { join } from 'node:path';
import { clusterMark } from '../cluster-mark.ts';
import type { SetupWanted } from '../../setup.ts';

type Wanted = Pick<SetupWanted, 'program' | 'stateFolder'>;

/**
 * What PostgreSQL hands each segment to, by /bin/sh in the data directory. A marker says that the segment is stored
 * already: it is consumed by success, so that none is believed twice, and only where a worker has found this very cluster:
 * after a re-initdb a configuration may have stayed, and markers. It is dated behind the wish that it is for: one that is
 * older than the wish is of what was there before the data directory was put back. What the worker is at is waited for,
 * some seconds. Any role can read the command: no secret is in it.
 */
export function archiveCommand(component: string, systemIdentifier: string, wanted: Wanted): string {
  const markers = escaped(join(wanted.stateFolder, 'spool', component, systemIdentifier));
  const push = program(wanted, ['postgres', 'archive-push', component]);
  const take = `t() { [ "$m.ok" -nt pg_wal/archive_status/%f.ready ] && rm "$m.ok"; }`;
  const takeOrWait = `{ m='${markers}/%f'; ${take}; t || { ${waitWhile('"$m.coming"')}; t; }; } 2>/dev/null`;
  return `test -e ${clusterMark(systemIdentifier)} && ${takeOrWait} || ${push} %p`;
}

/**
 * What fetches a segment while a server recovers. PostgreSQL takes 1 to 125 for the end of the log, and a program that
 * fails to start ends with 1: so only the one code that proves absence becomes 1, and whatever else happens stops it.
 * What was fetched ahead stands within the data directory, and is moved without starting the program; what is on its way
 * is waited for, some seconds, in case whoever fetches it was killed.
 */
export function restoreCommand(component: string, wanted: Wanted): string {
  return `${fetching(component, wanted)}; case $? in 0) exit 0;; 44) exit 1;; *) exit 200;; esac`;
}

/**
 * The same of a standby, which asks again and streams: there 1 ends nothing, and 200 would end the server, as when its primary
 * is started anew while a place of the log is away. Only before it is consistent, as line 8 of postmaster.pid says, must it not
 * miss which timelines there are: it would replay what was left, and never find back. What stands fetched ahead goes where the
 * program fails: after a later timeline's segment the server asks for the parent's, which may be left, and nobody would look.
 */
export function standbyRestoreCommand(component: string, wanted: Wanted): string {
  const asked = '"%f $(sed -n 8p postmaster.pid 2>/dev/null)"';
  return `${fetching(component, wanted)} && exit 0; [ $? -eq 44 ] && exit 1; rm -f pg_wal/.holdfast-ahead/[0-9A-F]*; case ${asked} in *.history" starting"*) exit 200;; esac; exit 1`;
}

/** Ends with 0 where it was fetched ahead; its last command is the program. */
function fetching(component: string, wanted: Wanted): string {
  const get = program(wanted, ['postgres', 'archive-get', component]);
  const take = 'mv $a %p 2>/dev/null && exit 0';
  return `a=pg_wal/.holdfast-ahead/%f; ${take}; ${waitWhile('$a.draft')}; ${take}; ${get} %f %p`;
}

/** Five seconds at least: whoever is at it may have been killed. */
function waitWhile(path: string): string {
  return `i=0; while [ -e ${path} ] && [ $i -lt 250 ]; do i=$((i+1)); sleep .02 2>/dev/null; done`;
}

/** Whether a command is one of ours for this component, of whatever version and state folder. */
export function isOurs(command: string, component: string): boolean {
  return new RegExp(`(?:^|\\s)'?postgres'? '?archive-push'? '?${component}'? `).test(command);
}

function program({ program: { path, options }, stateFolder }: Wanted, words: readonly string[]): string {
  return [quoted(path), ...words, ...[...options, '--state-dir', stateFolder].map(quoted)].join(' ');
}

/** One word for the shell, in which PostgreSQL replaces nothing. */
function quoted(word: string): string {
  return `'${escaped(word)}'`;
}

function escaped(word: string): string {
  return word.replaceAll("'", `'\\''`).replaceAll('%', '%%');
}

/** Up to 15 the server cuts a command off here, without a word. */
export function isTooLong(command: string, major: number): boolean {
  const longestName = '00000001000000000000000A.00000028.backup'.length + 'pg_wal/'.length;
  return major <= 15 && Buffer.byteLength(command) + 3 * longestName >= 1024;
}

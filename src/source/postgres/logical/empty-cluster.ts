import { join } from 'node:path';
import { ForeignFolder } from '../../../host/foreign-folder.ts';
import { currentUser } from '../../../host/users.ts';
import type { CommandEnd, Sandbox } from '../../../sandbox/sandbox.ts';
import type { RehearsedStep } from '../../rehearsal.ts';
import { isolatedSettings, settingLines } from '../isolated-settings.ts';
import { speaksOfSurroundings } from '../surroundings.ts';

/** Beside what was restored, and as the sandbox sees it. */
export const ownFolder = '.holdfast';
export const ownFolderInside = `/run/holdfast/${ownFolder}`;

const nobody = 65534;

const settings = settingLines({
  ...isolatedSettings,
  unix_socket_directories: ownFolderInside,
  fsync: 'off',
  full_page_writes: 'off',
  synchronous_commit: 'off',
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_wal_size: '4GB',
  maintenance_work_mem: '128MB',
  // A dump of many tables or large objects is restored in few transactions.
  max_locks_per_transaction: '1024',
});

export interface EmptyCluster {
  readonly sandbox: Sandbox;
  readonly restored: string;
  /** The folder of initdb, postgres and pg_ctl. */
  readonly programs: string;
  readonly version: string;
  /** Whom the cluster begins with. */
  readonly superuser: string;
}

/** A new cluster in a folder of its own, started. None of what failed here accuses a dump, of which it knows nothing. */
export async function startEmpty({
  sandbox,
  restored,
  programs,
  version,
  superuser,
}: EmptyCluster): Promise<RehearsedStep> {
  using whole = ForeignFolder.open(restored, 'followed');
  const given = { owner: currentUser().uid === 0 ? { uid: nobody, gid: nobody } : undefined };
  using own = whole.folderMade(ownFolder, given);
  own.put('postgresql.conf', settings, given);
  whole.setMode(0o755);
  const data = `${ownFolderInside}/data`;
  const making = ['-D', data, '-U', superuser, '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'];
  const made = await sandbox.run({ words: [...asServer(), join(programs, 'initdb'), ...making], env: {} });
  const step = { name: 'start', expected: `an empty cluster of PostgreSQL ${version} that comes up` } as const;
  if (!succeeded(made)) return { ...step, state: 'not run', found: wordsOf(made) };
  const server = [join(programs, 'pg_ctl'), 'start', '-w', '-t', '600', '-D', data, '-l', `${ownFolderInside}/log`];
  const words = [...asServer(), ...server, '-o', `-c config_file=${ownFolderInside}/postgresql.conf`];
  const started = await sandbox.run({ words, env: {} });
  if (succeeded(started)) return { ...step, state: 'passed', found: 'it came up' };
  return { ...step, state: 'not run', found: `${wordsOf(started)} ${logOf(own)}`.trim() };
}

/** A server refuses root, which this is inside, and initdb a user without a name. */
function asServer(): readonly string[] {
  if (currentUser().uid !== 0) return ['unshare', '--user', `--map-user=${nobody}`, `--map-group=${nobody}`, '--'];
  return ['setpriv', `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups', '--'];
}

function succeeded(end: CommandEnd): boolean {
  return end.kind === 'exited' && end.code === 0;
}

function wordsOf(end: CommandEnd): string {
  if (end.kind === 'lacking') return end.reason;
  const words = end.lastWords.filter((line) => line !== '').slice(-8);
  return [`exit code ${end.code}`, ...words].join('; ').slice(0, 2000);
}

/** What became of a command that was given the copy: it accuses the copy unless it speaks of what this host lacks. */
export function judgedEnd(step: Pick<RehearsedStep, 'name' | 'expected'>, end: CommandEnd): RehearsedStep {
  if (succeeded(end)) return { ...step, state: 'passed', found: 'all of it' };
  const found = wordsOf(end);
  const innocent = end.kind === 'lacking' || speaksOfSurroundings(found) || lacksExtension.test(found);
  return { ...step, state: innocent ? 'not run' : 'failed', found };
}

const lacksExtension =
  /extension control file|extension "[^"]*" is not available|must be (?:pre)?loaded|shared_preload/;

function logOf(own: ForeignFolder): string {
  return (own.text('log') ?? '').trimEnd().split('\n').slice(-5).join('; ');
}

import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { asUser, makeFolder, program, type Cluster } from './cluster.ts';

/** What is measured, each with a repository of its own that `prepare` makes anew. Commands are lists of words. */
export interface Contestant {
  readonly name: string;
  prepare(): void;
  full(): readonly string[];
  /** A further backup into the same repository; undefined where there is none that knows the first. */
  repeat?(): readonly string[];
  restore?(): readonly string[];
  /** What its repository takes. */
  readonly repository: string;
}

export interface Stage {
  readonly work: string;
  readonly cluster: Cluster;
  readonly holdfast: string;
  readonly pgbackrest: string;
}

/** pgBackRest keeps no log here, and so isn't made to wait for an archive; Holdfast's has the log of its backup in it. */
export function contestants(stage: Stage): readonly Contestant[] {
  return [holdfast(stage, 'host'), pgbackrest(stage), holdfast(stage, 'protocol'), baseBackup(stage)];
}

function holdfast({ work, cluster, holdfast: command }: Stage, reading: 'host' | 'protocol'): Contestant {
  const folder = join(work, `holdfast-${reading}`);
  const file = (name: string): string => join(folder, name);
  const own = ['--config', file('holdfast.yaml'), '--cache-dir', file('cache'), '--state-dir', file('state'), '-q'];
  const target = join(work, 'restored-holdfast');
  return {
    name: `holdfast, ${reading}`,
    repository: file('repository'),
    prepare: () => {
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder, { recursive: true });
      writeFileSync(file('password'), 'bench\n');
      writeFileSync(file('url'), cluster.url);
      writeFileSync(file('holdfast.yaml'), policy(file, reading));
      execFileSync(command, ['-q', '-r', file('repository'), '--password-file', file('password'), 'init']);
    },
    full: () => [command, 'backup', 'shop-db', ...own],
    repeat: () => [command, 'backup', 'shop-db', ...own],
    restore: () => {
      rmSync(target, { recursive: true, force: true });
      return [command, 'restore', 'shop-db', '--target', target, ...own];
    },
  };
}

function policy(file: (name: string) => string, reading: string): string {
  return `version: 1
repositories: { near: { url: ${file('repository')}, password: { file: ${file('password')} } } }
components:
  shop-db:
    postgres: { url: { file: ${file('url')} }, reading: ${reading} }
    backups: { full: { method: physical, at: "02:00", to: { near: { keep: { daily: 7 } } } } }
`;
}

/** Encrypted, zstd at its usual level, two processes. */
function pgbackrest({ work, cluster, pgbackrest: command }: Stage): Contestant {
  const folder = join(work, 'pgbackrest');
  const target = join(work, 'restored-pgbackrest');
  const words = (...given: readonly string[]): readonly string[] =>
    asUser([command, `--config=${folder}/pgbackrest.conf`, '--stanza=shop', ...given]);
  const backup = (type: string): readonly string[] => words(`--type=${type}`, 'backup');
  return {
    name: 'pgBackRest',
    repository: join(folder, 'repository'),
    prepare: () => {
      rmSync(folder, { recursive: true, force: true });
      for (const name of ['', 'repository', 'lock', 'spool']) makeFolder(join(folder, name));
      writeFileSync(join(folder, 'pgbackrest.conf'), configuration(folder, cluster));
      const [first = '', ...rest] = words('--no-online', 'stanza-create');
      execFileSync(first, rest);
    },
    full: () => backup('full'),
    repeat: () => backup('incr'),
    restore: () => {
      rmSync(target, { recursive: true, force: true });
      makeFolder(target);
      return words(`--pg1-path=${target}`, '--archive-mode=off', '--type=immediate', 'restore');
    },
  };
}

function configuration(folder: string, { data, sockets, port }: Cluster): string {
  return `[global]
repo1-path=${folder}/repository
repo1-cipher-type=aes-256-cbc
repo1-cipher-pass=bench
compress-type=zst
compress-level=3
process-max=2
start-fast=y
archive-check=n
archive-copy=n
lock-path=${folder}/lock
spool-path=${folder}/spool
log-level-file=off
log-level-console=warn
[shop]
pg1-path=${data}
pg1-socket-path=${sockets}
pg1-port=${port}
pg1-user=postgres
`;
}

/** One tar file a tablespace, compressed by the server, in the clear. */
function baseBackup({ work, cluster }: Stage): Contestant {
  const folder = join(work, 'pg_basebackup');
  const options = ['-Ft', '--compress=server-zstd:3', '-X', 'fetch', '-c', 'fast', '--no-sync'];
  return {
    name: 'pg_basebackup, zstd',
    repository: folder,
    prepare: () => rmSync(folder, { recursive: true, force: true }),
    full: () => {
      makeFolder(folder);
      return asUser([program('pg_basebackup'), '-d', cluster.url, '-D', folder, ...options]);
    },
  };
}

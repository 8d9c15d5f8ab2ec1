import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** One contestant: the commands of each phase. Commands are lists of words; none goes through a shell. */
export interface Tool {
  readonly name: string;
  /** Makes an empty repository, where that can't be a copy of restic's template. Not timed. */
  prepare?(run: Run): readonly (readonly string[])[];
  backup(run: Run): readonly string[];
  restore(run: Run): readonly string[];
  /** Copies all snapshots of a repository into the empty one at `copy`. */
  copy?(run: Run, from: string): readonly string[];
  /** A command that does nothing but open the repository: its time is key derivation and start-up. */
  open(run: Run): readonly string[];
}

export interface Run {
  /** Addresses. */
  readonly repository: string;
  readonly copy: string;
  readonly data: string;
  readonly target: string;
  /** Password file, and the folder of caches and settings of this run. */
  readonly passwordFile: string;
  readonly home: string;
}

export interface Paths {
  readonly restic: string;
  readonly holdfast: string;
  readonly kopia: string | undefined;
  readonly rustic: string | undefined;
}

export function tools(paths: Paths): readonly Tool[] {
  return [
    resticLike('holdfast', paths.holdfast),
    resticLike('restic', paths.restic),
    ...(paths.kopia === undefined ? [] : [kopia(paths.kopia)]),
    ...(paths.rustic === undefined ? [] : [rustic(paths.rustic)]),
  ];
}

function resticLike(name: string, binary: string): Tool {
  const words = (run: Run, repository = run.repository): string[] => [
    binary,
    '-r',
    repository,
    '--password-file',
    run.passwordFile,
    '--cache-dir',
    join(run.home, name),
    '-q',
  ];
  return {
    name,
    backup: (run) => [...words(run), 'backup', run.data],
    restore: (run) => [...words(run), 'restore', 'latest', '--target', run.target],
    copy: (run, from) => [
      ...[...words(run, run.copy), 'copy'],
      ...['--from-repo', from, '--from-password-file', run.passwordFile],
    ],
    open: (run) => [...words(run), 'cat', 'config'],
  };
}

function rustic(binary: string): Tool {
  const words = (run: Run): string[] => [
    binary,
    '-r',
    run.repository,
    '--password-file',
    run.passwordFile,
    '--cache-dir',
    join(run.home, 'rustic'),
    '--no-progress',
    '--log-level',
    'error',
  ];
  return {
    name: 'rustic',
    backup: (run) => [...words(run), 'backup', run.data],
    restore: (run) => [...words(run), 'restore', 'latest', run.target],
    open: (run) => [...words(run), 'cat', 'config'],
  };
}

/** kopia derives its key otherwise; zstd, as the others compress. */
function kopia(binary: string): Tool {
  const settings = (run: Run): string[] => [
    '--config-file',
    join(run.home, 'kopia.config'),
    '--no-progress',
    '--log-dir',
    join(run.home, 'kopia-logs'),
  ];
  return {
    name: 'kopia',
    prepare: (run) => {
      rmSync(run.repository, { recursive: true, force: true });
      mkdirSync(run.repository, { recursive: true });
      return [
        [
          binary,
          ...settings(run),
          'repository',
          'create',
          'filesystem',
          '--path',
          run.repository,
          '--password',
          'bench',
          '--cache-directory',
          join(run.home, 'kopia-cache'),
        ],
        [binary, ...settings(run), 'policy', 'set', '--global', '--compression', 'zstd'],
      ];
    },
    backup: (run) => [binary, ...settings(run), 'snapshot', 'create', run.data],
    restore: (run) => [binary, ...settings(run), 'restore', run.data, run.target],
    open: (run) => [binary, ...settings(run), 'repository', 'status'],
  };
}

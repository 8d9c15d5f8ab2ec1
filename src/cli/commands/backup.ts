import { command } from '../command.ts';
import { flag, list, parsed, text, wholeNumber } from '../option.ts';
import { sizeBytes } from '../quantity.ts';
import { eitherWay } from '../ways.ts';

export const backupOptions = {
  all: flag('every component of the policy'),
  rule: text('name', 'only this rule of the components'),
  exclude: list('pattern', 'leave out what matches', { short: 'e' }),
  iexclude: list('pattern', 'the same, whatever the case of letters'),
  excludeFile: list('file', 'leave out what matches a pattern of this file'),
  iexcludeFile: list('file', 'the same, whatever the case of letters'),
  excludeIfPresent: list(
    'name[:header]',
    'leave out what is in folders that hold this file (that starts with this header)',
  ),
  excludeCaches: flag('leave out what is in folders marked by a CACHEDIR.TAG'),
  excludeLargerThan: parsed('size', sizeBytes, 'leave out larger files, such as 500M'),
  oneFileSystem: flag('stay on the file systems of the paths given', { short: 'x' }),
  filesFrom: list('file', 'read patterns of paths from a file (- is standard input)'),
  filesFromVerbatim: list('file', 'read paths from a file, a line each'),
  filesFromRaw: list('file', 'read paths from a file, each ended by a zero byte'),
  tag: list('tag[,tag]', 'tags of the new snapshot, of components too, beside Holdfast’s own'),
  host: text('name', 'host of the new snapshot', { short: 'H', environment: 'RESTIC_HOST' }),
  time: text('time', 'time of the new snapshot, such as "2026-08-01 14:00:00"', { fallback: 'now' }),
  parent: text('snapshot', 'take over what is unchanged since this snapshot', {
    fallback: 'the latest of the group',
  }),
  groupBy: text('group', 'what makes snapshots a group: host, paths, tags', { short: 'g', fallback: 'host,paths' }),
  force: flag('read every file, whatever the parent says', { short: 'f' }),
  ignoreCtime: flag('a changed ctime alone is no change', { environment: 'RESTIC_IGNORE_CTIME' }),
  ignoreInode: flag('a changed inode or ctime alone is no change', { environment: 'RESTIC_IGNORE_INODE' }),
  withAtime: flag('store times of access'),
  skipIfUnchanged: flag('write no snapshot when nothing changed since the parent'),
  stdin: flag('store standard input as one file'),
  stdinFilename: text('name', 'name of that file', { fallback: 'stdin' }),
  stdinFromCommand: flag('run the arguments as a command and store its output as one file'),
  dryRun: flag('store nothing, show what would be stored', { short: 'n' }),
  noScan: flag('don’t measure first: no percentage, less work'),
  readConcurrency: parsed('n', wholeNumber, 'how many files are read at a time', {
    environment: 'RESTIC_READ_CONCURRENCY',
    fallback: '2',
  }),
} as const;

export const backup = command({
  name: 'backup',
  summary: 'Back up files and folders, the output of a command, or components of a policy',
  operands: '[PATH… | COMPONENT…]',
  worksOn: 'either',
  examples: [
    {
      line: 'holdfast backup ~/documents /etc',
      does: 'One snapshot of two folders; what is stored already is not stored again.',
    },
    {
      line: 'holdfast backup / --one-file-system --exclude-caches --exclude "*.tmp"',
      does: 'The root file system without caches and temporary files.',
    },
    {
      line: 'holdfast backup --stdin-from-command --stdin-filename shop.sql -- pg_dump shop',
      does: 'A command’s output as a file; if the command fails, there is no snapshot.',
    },
    { line: 'holdfast backup ~/documents --dry-run -vv', does: 'Shows what would be stored.' },
    {
      line: 'holdfast backup shop-db --config holdfast.yaml',
      does: 'The rules of a component, each into its first repository, with copies to the others.',
    },
  ],
  about: ['Exit code 3: the snapshot was written, but some files could not be read; each was named.'],
  options: backupOptions,
  ways: eitherWay(backupOptions, { policy: ['all', 'rule'], both: ['tag', 'dryRun'] }),
  check: async (given, context, by) => await (await import('../checks/backup.ts')).checkBackup(given, context, by),
});

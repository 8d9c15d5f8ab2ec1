import { command } from '../command.ts';
import { snapshotFilter } from '../globals.ts';
import { choice, flag, list, parsed, refusal, text, unsupported } from '../option.ts';
import { eitherWay } from '../ways.ts';
import { momentKeys, momentOptions } from './moment-options.ts';

export const restoreOptions = {
  ...snapshotFilter,
  at: text('time', 'of a component: the newest point of then or before', { fallback: 'the newest' }),
  ...momentOptions,
  tablespace: list(
    'old=new',
    'with a moment of a log, or --as-standby: put what stood at the one place to the other, an empty one',
  ),
  inPlace: flag('of a component: replace what is live, by a plan that can be undone'),
  delta: flag(
    'with --in-place, of a cluster: over the files that are there, of which equal ones stay; nothing is kept',
  ),
  withoutUndo: flag('with --delta: yes, nothing brings back what was there'),
  noSafetyBackup: flag(
    'with --in-place: no backup of what is replaced before, as when no repository can be written; of a cluster none is made',
  ),
  target: text('folder', 'where to restore to (needed, or --in-place or --into)', { short: 't' }),
  asStandby: flag('with --target: a cluster that follows the living one once it is started'),
  into: text('address', 'of a component: into a new database, at an address, env:NAME or file:PATH'),
  table: list('name', 'with --into: this table alone, as schema.table; with a moment, or of the newest backup'),
  schema: list('name', 'with --into: this schema alone, likewise'),
  as: text('name', 'with --table or --schema: what it is called there', { fallback: 'the same' }),
  method: text('method', 'of a component: the newest point that was made by it', {
    fallback: 'any; logical with --into, but for --table and --schema',
  }),
  database: text('name', 'with --into: which one, where the point holds several'),
  jobs: parsed('n', jobsOf, 'with --into: how many load at once', { fallback: '4' }),
  noOwner: flag('with --into: all that is loaded belongs to the role of the address'),
  noPrivileges: flag('with --into: nothing is granted that was'),
  switch: flag('with --into: it takes the name of the old database, which is kept under another'),
  include: list('pattern', 'only what matches', { short: 'i' }),
  iinclude: list('pattern', 'the same, whatever the case of letters'),
  includeFile: list('file', 'only what matches a pattern of this file'),
  iincludeFile: list('file', 'the same, whatever the case of letters'),
  exclude: list('pattern', 'leave out what matches', { short: 'e' }),
  iexclude: list('pattern', 'the same, whatever the case of letters'),
  excludeFile: list('file', 'leave out what matches a pattern of this file'),
  iexcludeFile: list('file', 'the same, whatever the case of letters'),
  excludeXattr: list('pattern', 'leave out extended attributes that match'),
  includeXattr: list('pattern', 'only extended attributes that match'),
  delete: flag('remove what is in the target but not in the snapshot'),
  overwrite: choice('when', ['always', 'if-changed', 'if-newer', 'never'], 'what happens to files that are there', {
    fallback: 'always',
  }),
  dryRun: flag('write nothing, show what would be written'),
  verify: flag('read back what was written'),
  sparse: flag('leave holes where files hold zeros'),
  ownershipByName: unsupported('none'),
} as const;

function jobsOf(given: string, label: string): number {
  if (/^(?:[1-9]|[1-5]\d|6[0-4])$/.test(given)) return Number(given);
  throw refusal(label, given, 'a number from 1 to 64');
}

export const restore = command({
  name: 'restore',
  summary: 'Restore files from a snapshot',
  operands: 'SNAPSHOT | COMPONENT',
  worksOn: 'either',
  examples: [
    { line: 'holdfast restore latest --target /tmp/restored', does: 'The newest snapshot into a folder.' },
    {
      line: 'holdfast restore latest:/srv/shop --target /srv/shop --delete --dry-run -vv',
      does: 'Shows what putting a folder back in place would change.',
    },
    {
      line: 'holdfast restore "yesterday 14:00" --target / --include /etc/nginx --verify',
      does: 'One folder at its place, read back afterwards.',
    },
    {
      line: 'holdfast restore shop-db --at "2026-11-20 14:30" --target /srv/restored',
      does: 'A component of the policy as it was, from the nearest copy that can be read.',
    },
    {
      line: 'holdfast restore shop-db --latest --target /srv/restored',
      does: 'A cluster with all that its log holds, brought up by a server of its major, and ended again.',
    },
    {
      line: 'holdfast restore shop-db --method logical --into postgres://admin@db2/shop_new',
      does: 'The newest dump into a new database; the password stands in $PGPASSWORD.',
    },
    {
      line: 'holdfast restore shop-db --at "2026-11-20 14:30" --table public.orders --into postgres://admin@db1/shop --as orders_restored',
      does: 'One table as it was, beside what runs there; the password stands in $PGPASSWORD.',
    },
    {
      line: 'holdfast restore shop-db --as-standby --target /srv/standby',
      does: 'A standby of a cluster, which catches up by the log and follows it once it is started.',
    },
    {
      line: 'holdfast restore shop-db --in-place --at "2026-11-20 14:30"',
      does: 'A cluster on this host is replaced by that moment of it; what stood there is kept for an undo.',
    },
    {
      line: 'holdfast restore shop-db --in-place --delta --without-undo',
      does: 'The same where a disk has no room for a second cluster: file by file over the old one, of which nothing is kept.',
    },
    {
      line: 'holdfast restore uploads --in-place --dry-run',
      does: 'The plan by which a component would be put back in its place.',
    },
  ],
  about: ['What is written stays below the target: links that lead elsewhere are not followed.'],
  options: restoreOptions,
  // What belongs to which restore of a component is restore-way.ts's.
  ways: eitherWay(restoreOptions, {
    policy: [
      ...([
        'at',
        ...momentKeys,
        'tablespace',
        'inPlace',
        'delta',
        'withoutUndo',
        'noSafetyBackup',
        'asStandby',
      ] as const),
      ...([
        'into',
        'table',
        'schema',
        'as',
        'method',
        'database',
        'jobs',
        'noOwner',
        'noPrivileges',
        'switch',
      ] as const),
    ],
    both: [
      ...([
        'target',
        'include',
        'iinclude',
        'includeFile',
        'iincludeFile',
        'exclude',
        'iexclude',
        'excludeFile',
      ] as const),
      ...([
        'iexcludeFile',
        'excludeXattr',
        'includeXattr',
        'delete',
        'overwrite',
        'dryRun',
        'verify',
        'sparse',
      ] as const),
    ],
  }),
  check: async ({ values }, context) => (await import('../checks/restore.ts')).checkRestore(values, context),
});

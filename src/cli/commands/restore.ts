import { command } from '../command.ts';
import { snapshotFilter } from '../globals.ts';
import { choice, flag, list, parsed, refusal, text, unsupported } from '../option.ts';
import { momentOptions } from './moment-options.ts';

export const restoreOptions = {
  ...snapshotFilter,
  at: text('time', 'of a component: the newest point of then or before', { fallback: 'the newest' }),
  ...momentOptions,
  tablespace: list('old=new', 'with a moment of a log: put what stood at the one place to the other, an empty one'),
  inPlace: flag('of a component: replace what is live, by a plan that can be undone'),
  noSafetyBackup: flag('with --in-place: no backup of what is replaced before, as when no repository can be written'),
  target: text('folder', 'where to restore to (needed, or --in-place or --into)', { short: 't' }),
  into: text('address', 'of a component: into a new database, at an address, env:NAME or file:PATH'),
  method: text('method', 'of a component: the newest point that was made by it', {
    fallback: 'any; logical with --into',
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
      line: 'holdfast restore uploads --in-place --dry-run',
      does: 'The plan by which a component would be put back in its place.',
    },
  ],
  about: ['What is written stays below the target: links that lead elsewhere are not followed.'],
  options: restoreOptions,
});

import { command } from '../command.ts';
import { snapshotFilter } from '../globals.ts';
import { choice, flag } from '../option.ts';
import { recordedReading, readingOptions } from '../reading-options.ts';
import { eitherWay } from '../ways.ts';

export const lsOptions = {
  ...snapshotFilter,
  ...readingOptions,
  long: flag('modes, owners, sizes and times too', { short: 'l' }),
  recursive: flag('what is in folders below the given ones too'),
  humanReadable: flag('sizes with units'),
  sort: choice('by', ['name', 'size', 'time', 'mtime', 'atime', 'ctime', 'extension'], 'order', {
    short: 's',
    fallback: 'name',
  }),
  reverse: flag('the other way round'),
  ncdu: flag('print what ncdu reads: holdfast ls latest --ncdu | ncdu -f -'),
} as const;

export const ls = command({
  name: 'ls',
  summary: 'List files in a snapshot',
  operands: 'SNAPSHOT [FOLDER…] | COMPONENT [FOLDER…]',
  worksOn: 'either',
  examples: [
    { line: 'holdfast ls latest', does: 'Every file of the newest snapshot.' },
    { line: 'holdfast ls -l "yesterday 14:00" /etc', does: 'What /etc held then, with modes, sizes and times.' },
    { line: 'holdfast ls latest --sort size --reverse -l', does: 'The largest files first.' },
    { line: 'holdfast ls latest --ncdu | ncdu -f -', does: 'Walk through the snapshot and see what takes the space.' },
    { line: 'holdfast ls uploads /srv/uploads --at yesterday', does: 'What a component of the policy held then.' },
  ],
  about: [recordedReading],
  options: lsOptions,
  ways: eitherWay(lsOptions, {
    policy: ['at', 'from'],
    both: ['long', 'recursive', 'humanReadable', 'sort', 'reverse', 'ncdu'],
  }),
  check: async (given, context) => (await import('../checks/ls.ts')).checkLs(given, context),
  output: 'its purpose',
});

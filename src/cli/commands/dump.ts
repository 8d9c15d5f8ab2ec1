import { command } from '../command.ts';
import { snapshotFilter } from '../globals.ts';
import { choice, text } from '../option.ts';
import { recordedReading, readingOptions } from '../reading-options.ts';
import { eitherWay } from '../ways.ts';

export const dumpOptions = {
  ...snapshotFilter,
  ...readingOptions,
  archive: choice('format', ['tar', 'zip'], 'form of a folder', { short: 'a', fallback: 'tar' }),
  target: text('file', 'write to this file', { short: 't', fallback: 'standard output' }),
} as const;

export const dump = command({
  name: 'dump',
  summary: 'Print a file of a snapshot, or a folder as an archive',
  operands: 'SNAPSHOT PATH | COMPONENT PATH',
  worksOn: 'either',
  examples: [
    { line: 'holdfast dump latest /shop.sql | psql shop', does: 'A stored file to standard output.' },
    {
      line: 'holdfast dump latest /etc --archive zip --target etc.zip',
      does: 'A folder as a zip file; tar is the default, / is everything.',
    },
    { line: 'holdfast dump uploads /srv/uploads/a.jpg > a.jpg', does: 'A file of a component of the policy.' },
  ],
  about: [recordedReading],
  options: dumpOptions,
  ways: eitherWay(dumpOptions, { policy: ['at', 'from'], both: ['archive', 'target'] }),
  output: 'its purpose',
});

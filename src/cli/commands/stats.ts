import { command } from '../command.ts';
import { snapshotFilter } from '../globals.ts';
import { choice } from '../option.ts';

export const statsOptions = {
  ...snapshotFilter,
  mode: choice('mode', ['restore-size', 'files-by-contents', 'blobs-per-file', 'raw-data'], 'what is counted', {
    fallback: 'restore-size',
  }),
} as const;

export const stats = command({
  name: 'stats',
  summary: 'Show how much data there is',
  operands: '[SNAPSHOT…]',
  worksOn: 'a repository',
  examples: [
    { line: 'holdfast stats latest', does: 'What the newest snapshot would take when restored.' },
    {
      line: 'holdfast stats --mode raw-data',
      does: 'What all snapshots take in the repository, and how well it compresses.',
    },
  ],
  about: [
    'restore-size: the files as they would be restored, hard links once in each snapshot. files-by-contents: each content once, however many files have it. blobs-per-file: the blobs of each path, once each. raw-data: the blobs of all that is needed, as they are stored, with what compression gains.',
  ],
  options: statsOptions,
  output: 'its purpose',
});

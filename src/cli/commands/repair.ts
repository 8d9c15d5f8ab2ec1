import { command } from '../command.ts';
import { flag } from '../option.ts';

const dryRun = flag('change nothing, show what would be done', { short: 'n' });

export const repairIndexOptions = {
  dryRun,
  readAllPacks: flag('believe nothing of the index: read the header of every pack'),
} as const;

export const repairIndex = command({
  name: 'repair index',
  summary: 'Make the index anew from what the packs say',
  operands: '',
  arity: { least: 0, most: 0 },
  examples: [
    { line: 'holdfast repair index --dry-run', does: 'Shows which index files and packs are wrong.' },
    {
      line: 'holdfast repair index',
      does: 'Removes damaged index files, names packs that none names, forgets lost ones.',
    },
    { line: 'holdfast repair index --read-all-packs', does: 'The same from every pack’s own header.' },
  ],
  about: [
    'The first step after `check` finds damage; `repair packs` and `repair snapshots` follow. The new index is written before the old one goes.',
    'A pack whose header can’t be read keeps its place in the index, so that `repair packs` can save what is left of it; the exit code is 3 then.',
  ],
  options: repairIndexOptions,
});

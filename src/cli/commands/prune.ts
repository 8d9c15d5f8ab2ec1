import { command } from '../command.ts';
import { flag, unsupported } from '../option.ts';
import { pruneOptions } from './prune-options.ts';

export const pruneRunOptions = {
  dryRun: flag('change nothing, show what would be done', { short: 'n' }),
  ...pruneOptions,
  unsafeRecoverNoFreeSpace: unsupported('one'),
} as const;

export const prune = command({
  name: 'prune',
  summary: 'Remove data that no snapshot needs',
  operands: '',
  arity: { least: 0, most: 0 },
  examples: [
    { line: 'holdfast prune --dry-run', does: 'Shows what would be removed and rewritten.' },
    { line: 'holdfast prune --max-unused 10% --max-repack-size 5G', does: 'Less work: leaves up to a tenth unused.' },
  ],
  about: [
    'Nobody else can work with the repository meanwhile. It stops before any change when data that a snapshot needs is missing.',
  ],
  options: pruneRunOptions,
});

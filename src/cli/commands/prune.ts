import { command } from '../command.ts';
import { flag, unsupported } from '../option.ts';
import { repositoryOption } from '../repository-option.ts';
import { pruneOptions } from './prune-options.ts';
import { eitherWay } from '../ways.ts';

export const pruneRunOptions = {
  dryRun: flag('change nothing, show what would be done', { short: 'n' }),
  all: flag('every repository of the policy'),
  ...repositoryOption,
  ...pruneOptions,
  discardJournals: flag('first forget what earlier prunes have put off, also where that can not be read'),
  unsafeRecoverNoFreeSpace: unsupported('one'),
} as const;

export const prune = command({
  name: 'prune',
  summary: 'Remove data that no snapshot needs',
  operands: '',
  worksOn: 'either',
  examples: [
    { line: 'holdfast prune --dry-run', does: 'Shows what would be removed and rewritten.' },
    { line: 'holdfast prune --max-unused 10% --max-repack-size 5G', does: 'Less work: leaves up to a tenth unused.' },
    {
      line: 'holdfast prune --deferred',
      does: 'Beside backups at work: a prune a day later deletes what this one marks.',
    },
    { line: 'holdfast prune --all', does: 'Every repository of the policy, each recorded.' },
  ],
  about: [
    'It stops before any change when data that a snapshot needs is missing.',
    'On local storage nobody else can work with the repository meanwhile, and space is free at once (--instant). Elsewhere others go on working, restic too: what no snapshot needs is marked, and a prune that runs a day later deletes it (--deferred). Storage that holds nothing but restic’s files can only be pruned instantly.',
  ],
  options: pruneRunOptions,
  ways: eitherWay(pruneRunOptions, {
    policy: ['all', 'repository'],
    both: [
      'dryRun',
      'instant',
      'deferred',
      'maxUnused',
      'maxRepackSize',
      'repackCacheableOnly',
      'repackSmallerThan',
      'repackSmall',
      'repackUncompressed',
      'discardJournals',
    ],
  }),
  check: async ({ values }, context) => (await import('../checks/prune.ts')).checkPrune(values, context),
});

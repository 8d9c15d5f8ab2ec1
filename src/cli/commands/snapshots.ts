import { HoldfastError } from '../../errors/error.ts';
import { command } from '../command.ts';
import { flag, parsed, text, wholeNumber } from '../option.ts';
import { snapshotFilter } from '../globals.ts';
import { eitherWay } from '../ways.ts';

export const snapshotsOptions = {
  ...snapshotFilter,
  compact: flag('one line a snapshot', { short: 'c' }),
  latest: parsed('n', wholeNumber, 'only the last n for each host and paths'),
  last: flag('the same as --latest 1'),
  points: flag('of a policy’s components: one list of what can be brought back, over all repositories'),
  groupBy: text('group', 'group by host, paths, tags', { short: 'g' }),
} as const;

export const snapshots = command({
  name: 'snapshots',
  summary: 'List snapshots',
  operands: '[SNAPSHOT… | COMPONENT…]',
  worksOn: 'either',
  examples: [
    { line: 'holdfast snapshots', does: 'All snapshots, oldest first.' },
    { line: 'holdfast snapshots --tag weekly --latest 1', does: 'The newest with this tag for each host and paths.' },
    {
      line: 'holdfast snapshots --points shop-db',
      does: 'The moments to which a component can be brought back, and who holds them.',
    },
  ],
  options: snapshotsOptions,
  ways: eitherWay(snapshotsOptions, { policy: ['points'], both: [] }),
  check: async ({ values: { groupBy, latest, last } }) => {
    if (last && latest !== undefined) throw new HoldfastError('usage', '--last and --latest can’t stand together');
    if (groupBy) (await import('../../retention/group.ts')).parseGroupBy(groupBy);
  },
  output: 'its purpose',
});

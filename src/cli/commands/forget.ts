import { command } from '../command.ts';
import { parseKeepCount } from '../../retention/keep.ts';
import { snapshotFilter } from '../globals.ts';
import { flag, list, parsed, text } from '../option.ts';
import { pruneOptions } from './prune-options.ts';
import { eitherWay } from '../ways.ts';

const { short: _short, ...host } = snapshotFilter.host;

export const forgetOptions = {
  all: flag('what the policy doesn’t keep of any component'),
  rule: text('name', 'only this rule of the components'),
  keepLast: parsed('n', parseKeepCount, 'keep the last n', { short: 'l' }),
  keepHourly: parsed('n', parseKeepCount, 'keep the last of each of n hours', { short: 'H' }),
  keepDaily: parsed('n', parseKeepCount, 'keep the last of each of n days', { short: 'd' }),
  keepWeekly: parsed('n', parseKeepCount, 'keep the last of each of n weeks', { short: 'w' }),
  keepMonthly: parsed('n', parseKeepCount, 'keep the last of each of n months', { short: 'm' }),
  keepQuarterly: parsed('n', parseKeepCount, 'keep the last of each of n quarters'),
  keepYearly: parsed('n', parseKeepCount, 'keep the last of each of n years', { short: 'y' }),
  keepWithin: text('duration', 'keep all this long before the newest, such as 1y5m7d2h'),
  keepWithinHourly: text('duration', 'keep hourly ones this long'),
  keepWithinDaily: text('duration', 'keep daily ones this long'),
  keepWithinWeekly: text('duration', 'keep weekly ones this long'),
  keepWithinMonthly: text('duration', 'keep monthly ones this long'),
  keepWithinQuarterly: text('duration', 'keep quarterly ones this long'),
  keepWithinYearly: text('duration', 'keep yearly ones this long'),
  keepTag: list('tag[,tag]', 'keep those with all of these tags'),
  unsafeAllowRemoveAll: flag('a group may be emptied'),
  host,
  tag: snapshotFilter.tag,
  path: snapshotFilter.path,
  compact: flag('one line a snapshot', { short: 'c' }),
  groupBy: text('group', 'what makes snapshots a group: host, paths, tags', { short: 'g', fallback: 'host,paths' }),
  dryRun: flag('change nothing, show what would be done', { short: 'n' }),
  prune: flag('prune afterwards, if a snapshot was removed'),
  ...pruneOptions,
} as const;

export const forget = command({
  name: 'forget',
  summary: 'Remove snapshots by rule or by ID',
  operands: '[SNAPSHOT… | COMPONENT…]',
  worksOn: 'either',
  examples: [
    {
      line: 'holdfast forget --keep-daily 7 --keep-weekly 5 --keep-monthly 12 --dry-run',
      does: 'Shows what a rule would keep and remove, and why.',
    },
    { line: 'holdfast forget --keep-within 30d --prune', does: 'Removes older snapshots and then their data.' },
    { line: 'holdfast forget 4bba301e', does: 'Removes one snapshot.' },
    { line: 'holdfast forget --all --dry-run', does: 'What the policy keeps and removes in each repository.' },
  ],
  about: [
    'Rules apply to each group alone. A group is never emptied without --unsafe-allow-remove-all. Data is removed by prune.',
    'Of components, safety backups go 30 days after their restore in place was confirmed or undone; while nobody said either, they stay.',
  ],
  options: forgetOptions,
  ways: eitherWay(forgetOptions, { policy: ['all', 'rule'], both: ['compact', 'dryRun'] }),
  check: async ({ values }, context) => (await import('../checks/forget.ts')).checkForget(values, context),
});

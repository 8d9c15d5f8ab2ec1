import { command } from '../command.ts';
import { flag } from '../option.ts';
import { repositoryOption } from '../repository-option.ts';
import { eitherWay } from '../ways.ts';

export const unlockOptions = {
  ...repositoryOption,
  removeAll: flag('remove all locks, those of running commands too'),
} as const;

export const unlock = command({
  name: 'unlock',
  summary: 'Remove locks that ended commands left behind',
  operands: '',
  worksOn: 'either',
  examples: [{ line: 'holdfast unlock', does: 'Removes locks whose holder is gone.' }],
  options: unlockOptions,
  ways: eitherWay(unlockOptions, { policy: ['repository'], both: ['removeAll'] }),
});

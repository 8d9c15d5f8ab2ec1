import { HoldfastError } from '../../errors/error.ts';
import { checkMoment, namesMoment } from '../checks/moment-words.ts';
import { command } from '../command.ts';
import { choice, flag, text } from '../option.ts';
import { momentKeys, momentOptions } from './moment-options.ts';

export const verifyOptions = {
  all: flag('every component of the policy'),
  from: text('repository', 'which copy: a repository of the policy, nearest or each', {
    fallback: 'as the policy says',
  }),
  at: text('time', 'of a component with a log: brought to that time in the sandbox'),
  ...momentOptions,
  do: choice(
    'level',
    ['structure', 'data', 'sample', 'restore'],
    'how far: names and sizes, every byte, random files, a whole restore',
    {
      fallback: 'as the policy says, else restore',
    },
  ),
} as const;

const [theNewest, aMoment] = ['the newest backup', 'a moment of a log'] as const;

export const verify = command({
  name: 'verify',
  summary: 'Prove a component’s newest backup by restoring it',
  operands: '[COMPONENT…]',
  worksOn: 'a policy',
  examples: [
    {
      line: 'holdfast verify shop-db',
      does: 'What the policy says is to be verified: restored, and its questions asked.',
    },
    {
      line: 'holdfast verify shop-db --latest',
      does: 'The same with all that its log holds since.',
    },
    { line: 'holdfast verify uploads --from cold --do data', does: 'Reads every byte of the copy in one repository.' },
  ],
  about: [
    'Three outcomes are kept apart: verified (exit code 0), failed (4: the copy must not be counted on) and could not verify (5: the surroundings lack something, and nothing is known of the copy).',
    'Commands of the policy (start, load, check) run in a sandbox only: no network, no live sockets, a read-only file system. It needs util-linux, mount and iproute2, and user namespaces; without them the answer is “could not verify”.',
  ],
  options: verifyOptions,
  ways: {
    of: (values) => (values.at !== undefined || namesMoment(values) ? aMoment : theNewest),
    heeds: {
      [theNewest]: ['all', 'from', 'do', 'exclusive', 'timeline'],
      [aMoment]: ['all', 'do', 'at', ...momentKeys],
    },
  },
  check: ({ values }) => {
    checkMoment(values);
    const isMoment = values.at !== undefined || namesMoment(values);
    if (isMoment && values.do !== undefined && values.do !== 'restore')
      throw new HoldfastError('usage', `verify: a moment is proven by a restore, not by --do ${values.do}`);
  },
});

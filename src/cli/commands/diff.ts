import { HoldfastError } from '../../errors/error.ts';
import { command } from '../command.ts';
import { flag } from '../option.ts';
import { recordedReading, readingOptions } from '../reading-options.ts';
import { eitherWay } from '../ways.ts';

export const diffOptions = { metadata: flag('changes of metadata too'), from: readingOptions.from } as const;

export const diff = command({
  name: 'diff',
  summary: 'Show what changed between two snapshots',
  operands: 'SNAPSHOT SNAPSHOT | COMPONENT TIME [TIME]',
  worksOn: 'either',
  examples: [
    {
      line: 'holdfast diff 4bba301e latest',
      does: '+ added, - removed, M content, U metadata, T type, ? content under unchanged metadata.',
    },
    { line: 'holdfast diff 4bba301e:/etc latest:/etc', does: 'The same for one folder.' },
    { line: 'holdfast diff uploads yesterday', does: 'Of a component: from its point of then to the newest.' },
  ],
  about: [recordedReading],
  options: diffOptions,
  ways: eitherWay(diffOptions, { policy: ['from'], both: ['metadata'] }),
  check: ({ operands }, _context, by) => {
    if (operands.length > 2 && by === 'repository')
      throw new HoldfastError(
        'usage',
        'diff: a component with two times is for a policy; of a repository two snapshots',
      );
  },
  output: 'its purpose',
});

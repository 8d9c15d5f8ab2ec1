import { command } from '../command.ts';
import { flag } from '../option.ts';

export const diffOptions = { metadata: flag('changes of metadata too') } as const;

export const diff = command({
  name: 'diff',
  summary: 'Show what changed between two snapshots',
  operands: 'SNAPSHOT SNAPSHOT',
  arity: { least: 2, most: 2 },
  examples: [
    {
      line: 'holdfast diff 4bba301e latest',
      does: '+ added, - removed, M content, U metadata, T type, ? content under unchanged metadata.',
    },
    { line: 'holdfast diff 4bba301e:/etc latest:/etc', does: 'The same for one folder.' },
  ],
  options: diffOptions,
  output: 'its purpose',
});

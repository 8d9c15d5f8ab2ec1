import { command } from '../command.ts';

export const status = command({
  name: 'status',
  summary: 'Could every component be recovered now, and what would be lost?',
  operands: '[COMPONENT…]',
  worksOn: 'a policy',
  examples: [
    { line: 'holdfast status', does: 'Every component’s objectives, wanted against reached.' },
    { line: 'holdfast status shop-db --json', does: 'The same of one, for programs.' },
  ],
  about: [
    'RPO is the age of the newest recoverable point, RTO what the last verified restore took: both are measured. What a restore would take now is forecast from three verified restores on, with the error that forecasts had. Exit codes: 4, an objective is broken; 5, something is not known.',
  ],
  options: {},
  output: 'its purpose',
});

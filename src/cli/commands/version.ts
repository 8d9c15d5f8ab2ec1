import { command } from '../command.ts';

export const version = command({
  name: 'version',
  summary: 'Print the version',
  operands: '',
  worksOn: 'anything',
  examples: [{ line: 'holdfast version --json', does: 'Version, Node and system for a bug report.' }],
  options: {},
});

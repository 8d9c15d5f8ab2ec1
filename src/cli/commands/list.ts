import { command } from '../command.ts';

export const list = command({
  name: 'list',
  summary: 'List IDs of objects in the repository',
  operands: 'blobs | packs | index | snapshots | keys | locks',
  worksOn: 'a repository',
  examples: [{ line: 'holdfast list packs', does: 'A line for each pack.' }],
  options: {},
  check: async ({ operands }) => void (await import('../checks/objects.ts')).listedOf(operands),
  output: 'its purpose',
});

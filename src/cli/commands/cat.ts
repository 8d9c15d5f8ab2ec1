import { command } from '../command.ts';

export const cat = command({
  name: 'cat',
  summary: 'Print an object of the repository',
  operands: 'config | masterkey | snapshot ID | index ID | key ID | lock ID | pack ID | blob ID | tree SNAPSHOT',
  worksOn: 'a repository',
  examples: [
    { line: 'holdfast cat config', does: 'Exit code 10 tells a script that there is no repository.' },
    { line: 'holdfast cat snapshot 4bba301e', does: 'A snapshot as it is stored.' },
  ],
  options: {},
  check: async ({ operands }) => void (await import('../checks/objects.ts')).printedOf(operands),
  output: 'its purpose',
});

import { command } from '../command.ts';

export const doctorStorage = command({
  name: 'doctor storage',
  summary: 'Prove that a storage keeps the promises that backups stand on',
  operands: 'URL',
  arity: { least: 1, most: 1 },
  examples: [
    {
      line: 'holdfast doctor storage /mnt/backup',
      does: 'Writes, lists, reads and removes test objects there, and says which promise holds.',
    },
  ],
  about: ['It works in a new folder of its own below the storage and removes it afterwards.'],
  options: {},
});

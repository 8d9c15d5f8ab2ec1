import { command } from '../command.ts';
import { flag } from '../option.ts';

export const doctorOptions = {
  printPolicy: flag('print what a writer and a pruner need to be allowed on S3, and touch nothing'),
} as const;

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
    {
      line: 'holdfast doctor storage s3:https://s3.example.com/bucket --print-policy',
      does: 'Policies for those who back up and those who prune.',
    },
  ],
  about: [
    'It works in a new folder of its own below the storage and removes it afterwards, also when it is stopped. What a kill',
    'leaves, the next run removes: on the same host at once, else after a day. Behind a REST server or rclone, which hold',
    'restic’s own files only, give an address where no repository is yet, to one run at a time.',
  ],
  options: doctorOptions,
});

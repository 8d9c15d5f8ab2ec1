import { command } from '../command.ts';
import { flag } from '../option.ts';

export const doctorOptions = {
  printPolicy: flag('print what a writer and a pruner need to be allowed on S3, and touch nothing'),
} as const;

export const doctorStorage = command({
  name: 'doctor storage',
  summary: 'Prove that a storage keeps the promises that backups stand on, look at its set-up, measure it',
  operands: 'URL',
  worksOn: 'nothing',
  examples: [
    {
      line: 'holdfast doctor storage /mnt/backup',
      does: 'Writes, lists, reads and removes test objects there, and says which promise holds, and how fast it is.',
    },
    {
      line: 'holdfast doctor storage s3:https://s3.example.com/bucket --print-policy',
      does: 'Policies for those who back up and those who prune.',
    },
  ],
  about: [
    'Each statement is ok, a warning, failed, or unknown where nobody could ask. Exit code 0: nothing has failed. 1:',
    'something has. 3: nothing has failed, something is unknown. On S3, give the -o s3.lock that backups are to have.',
    'It works in a new folder of its own below the storage and removes it afterwards, also when it is stopped. What a kill',
    'leaves, the next run removes: on the same host at once, else after a day. Behind a REST server or rclone, which hold',
    'restic’s own files only, give an address where no repository is yet, to one run at a time.',
  ],
  options: doctorOptions,
});

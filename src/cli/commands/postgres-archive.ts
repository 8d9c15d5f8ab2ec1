import { command } from '../command.ts';
import { flag } from '../option.ts';

export const archivePushOptions = {
  worker: flag('be the worker: store all that waits, and end a while after; a push starts it by itself'),
} as const;

export const archivePush = command({
  name: 'postgres archive-push',
  summary: 'Store a segment of the log: what a PostgreSQL server’s archive_command runs',
  operands: 'COMPONENT [FILE]',
  worksOn: 'a policy',
  examples: [
    {
      line: 'holdfast postgres archive-push shop-db pg_wal/00000001000000000000002A',
      does: 'Run by the server in its data directory. It ends with 0 once every required place has the segment.',
    },
  ],
  about: [
    'One worker a host and component stores what waits ahead of the server’s asking, and leaves a marker for each file;',
    'the archive_command that `holdfast postgres setup` prints takes the marker by a mere `rm`, and runs this where there',
    'is none. Any exit code but 0 has the server keep the file and ask again.',
  ],
  options: archivePushOptions,
});

export const archiveGetOptions = {
  ahead: flag('fetch what follows FILE, for as long as the server takes it; a delivery starts it by itself'),
} as const;

export const archiveGet = command({
  name: 'postgres archive-get',
  summary: 'Fetch a segment of the log: what a PostgreSQL server’s restore_command runs',
  operands: 'COMPONENT FILE TARGET',
  worksOn: 'a policy',
  examples: [
    {
      line: 'holdfast postgres archive-get shop-db 00000001000000000000002A pg_wal/RECOVERYXLOG',
      does: 'Run by a server that recovers, in its data directory.',
    },
  ],
  about: [
    'Exit codes: 0 delivered; 44 proven absent: every place of the log was asked, and answered; 200 anything else.',
    'PostgreSQL takes 1 to 125 for the end of the log: the restore_command that `holdfast postgres setup` prints turns 44',
    'into 1, and whatever else may happen, a program that does not start or is killed, into 200, which ends the recovery.',
  ],
  options: archiveGetOptions,
  failsWith: 200,
});

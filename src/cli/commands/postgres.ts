import { command } from '../command.ts';
import { flag, text } from '../option.ts';

export const setupOptions = {
  apply: flag('do what Holdfast may do of the plan'),
  adopt: text(
    'directory',
    'let this data directory write the log from now on, in place of the one that has written it',
  ),
  replaceArchiving: flag('replace an archive_command that is somebody else’s'),
} as const;

export const postgresSetup = command({
  name: 'postgres setup',
  summary: 'Show what a PostgreSQL server lacks for backups and its log, and set it up',
  operands: 'COMPONENT',
  worksOn: 'a policy',
  examples: [
    {
      line: 'holdfast postgres setup shop-db',
      does: 'What is there, what is wanted, why, and how it takes effect. Nothing is changed.',
    },
    {
      line: 'holdfast postgres setup shop-db --apply',
      does: 'Does what it may, and prints the exact lines for the rest. It restarts nothing.',
    },
    {
      line: 'holdfast postgres setup shop-db --apply --adopt /var/lib/postgresql/17/main',
      does: 'After a restore has replaced production’s data directory: the new one writes the log.',
    },
  ],
  about: [
    'Exit code 0: nothing is left to do. 3: something is left, by --apply or by hand. 1: what was to be applied failed.',
    'With `log: { mode: archive }` run it on the database’s own host as the user of its server, to whom the program, the policy and its secrets have to be readable: the server starts Holdfast for each segment, and its data directory gets a grant to write the log, which no copy of it has.',
  ],
  options: setupOptions,
  partlyMeans: 'something is left to be done: see above',
});

export const streamOptions = {
  untilDurable: text('position', 'end once all up to it is durable in every required place, such as 0/16B374D8'),
} as const;

export const postgresStream = command({
  name: 'postgres stream',
  summary: 'Follow a PostgreSQL server’s log as it is written',
  operands: 'COMPONENT',
  worksOn: 'a policy',
  examples: [
    {
      line: 'holdfast postgres stream shop-db',
      does: 'Runs until it is ended; what was committed is durable elsewhere seconds later.',
    },
    {
      line: 'holdfast postgres stream shop-db --until-durable 0/16B374D8',
      does: 'Ends with 0 once the log up to there is durable in every required place.',
    },
  ],
  about: [
    'The policy has `log: { mode: stream, to: … }`. A replication slot keeps on the server what is not durable yet in every',
    'required place; `slot-max-lag` bounds that. Run it as a service that is started again: it goes on where the',
    'repositories are. SIGINT and SIGTERM store what has come, and end it with 130.',
  ],
  options: streamOptions,
});

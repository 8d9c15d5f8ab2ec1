import { flag, text, unsupported } from '../option.ts';

/** For the help of commands that take them. */
export const asOfOther =
  'With --as-of TIME the other repository is read as it was then, where its storage keeps old versions; the one of -r is written as it is now.';

/** Options that name a second repository and its password: `--from-repo` and its companions. */
export const fromOptions = {
  fromRepo: text('repository', 'the other repository', { environment: 'RESTIC_FROM_REPOSITORY' }),
  fromRepositoryFile: text('file', 'read the location of the other repository from a file', {
    environment: 'RESTIC_FROM_REPOSITORY_FILE',
  }),
  fromPasswordFile: text('file', 'read its password from a file', { environment: 'RESTIC_FROM_PASSWORD_FILE' }),
  fromPasswordCommand: text('command', 'run a command that prints its password', {
    environment: 'RESTIC_FROM_PASSWORD_COMMAND',
  }),
  fromKeyHint: text('key', 'ID of its key to try first', { environment: 'RESTIC_FROM_KEY_HINT' }),
  fromInsecureNoPassword: flag('it has an empty password (insecure)'),
  repo2: unsupported('one'),
  repositoryFile2: unsupported('one'),
  passwordFile2: unsupported('one'),
  passwordCommand2: unsupported('one'),
  keyHint2: unsupported('one'),
} as const;

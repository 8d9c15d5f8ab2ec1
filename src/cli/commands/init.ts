import { command } from '../command.ts';
import { choice, unsupported } from '../option.ts';

export const initOptions = {
  repositoryVersion: choice('version', ['1', '2', 'stable', 'latest'], 'version of the repository’s format', {
    fallback: '2',
  }),
  copyChunkerParams: unsupported('none'),
  fromRepo: unsupported('one'),
  fromRepositoryFile: unsupported('one'),
  fromPasswordFile: unsupported('one'),
  fromPasswordCommand: unsupported('one'),
  fromKeyHint: unsupported('one'),
  fromInsecureNoPassword: unsupported('none'),
} as const;

export const init = command({
  name: 'init',
  summary: 'Create a repository',
  operands: '',
  arity: { least: 0, most: 0 },
  examples: [
    {
      line: 'holdfast -r /srv/backup init',
      does: 'Asks for a new password twice and creates the repository in /srv/backup.',
    },
    { line: 'holdfast -r /srv/backup -p /etc/holdfast/password init', does: 'The same with the password from a file.' },
  ],
  about: ['Keep the password safe: without it nobody can read the repository, and there is no way to get it back.'],
  options: initOptions,
});

import { command } from '../command.ts';
import { choice, flag } from '../option.ts';
import { asOfOther, fromOptions } from './from-options.ts';
import { eitherWay } from '../ways.ts';

export const initOptions = {
  repositoryVersion: choice('version', ['1', '2', 'stable', 'latest'], 'version of the repository’s format', {
    fallback: '2',
  }),
  copyChunkerParams: flag('cut files as the repository that --from-repo names, so that copies share their data'),
  ...fromOptions,
} as const;

export const init = command({
  name: 'init',
  summary: 'Create a repository',
  operands: '',
  worksOn: 'either',
  examples: [
    {
      line: 'holdfast -r /srv/backup init',
      does: 'Asks for a new password twice and creates the repository in /srv/backup.',
    },
    { line: 'holdfast -r /srv/backup -p /etc/holdfast/password init', does: 'The same with the password from a file.' },
    {
      line: 'holdfast -r /mnt/second init --from-repo /srv/backup --copy-chunker-params',
      does: 'A repository to copy to: what both hold is stored once in it.',
    },
    { line: 'holdfast init --config holdfast.yaml', does: 'Every repository of the policy that isn’t there yet.' },
  ],
  about: [
    'Keep the password safe: without it nobody can read the repository, and there is no way to get it back.',
    asOfOther,
  ],
  options: initOptions,
  ways: eitherWay(initOptions, { policy: [], both: [] }),
});

import { HoldfastError } from '../../errors/error.ts';
import { command, type Invocation } from '../command.ts';
import { flag, text } from '../option.ts';
import { repositoryOption } from '../repository-option.ts';
import { eitherWay } from '../ways.ts';

export const keyOptions = repositoryOption;

export const newKeyOptions = {
  ...repositoryOption,
  newPasswordFile: text('file', 'read the new password from a file'),
  newInsecureNoPassword: flag('the new password is empty (insecure)'),
  user: text('name', 'user name that the key is marked with'),
  host: text('name', 'host name that the key is marked with'),
} as const;

/** One of them is the new password. */
function checkNewKey({ values }: Invocation<typeof newKeyOptions>): void {
  if (values.newPasswordFile !== undefined && values.newInsecureNoPassword)
    throw new HoldfastError('usage', '--new-password-file and --new-insecure-no-password can’t stand together');
}

export const keyList = command({
  name: 'key list',
  summary: 'List keys (passwords)',
  operands: '',
  worksOn: 'either',
  examples: [{ line: 'holdfast key list', does: 'Every key; * marks the one in use.' }],
  options: keyOptions,
  ways: eitherWay(keyOptions, { policy: ['repository'], both: [] }),
});

export const keyAdd = command({
  name: 'key add',
  summary: 'Add a key (password)',
  operands: '',
  worksOn: 'either',
  examples: [
    { line: 'holdfast key add --user ann', does: 'Asks for a further password that opens the repository too.' },
  ],
  options: newKeyOptions,
  ways: eitherWay(newKeyOptions, {
    policy: ['repository'],
    both: ['newPasswordFile', 'newInsecureNoPassword', 'user', 'host'],
  }),
  check: checkNewKey,
});

export const keyRemove = command({
  name: 'key remove',
  summary: 'Remove a key (password)',
  operands: 'KEY',
  worksOn: 'either',
  examples: [
    {
      line: 'holdfast key remove 5c657874',
      does: 'That password opens the repository no more; the key in use can’t be removed.',
    },
  ],
  options: keyOptions,
  ways: eitherWay(keyOptions, { policy: ['repository'], both: [] }),
});

export const keyPasswd = command({
  name: 'key passwd',
  summary: 'Change the password',
  operands: '',
  worksOn: 'either',
  examples: [{ line: 'holdfast key passwd', does: 'Adds a key with the new password, then removes the one in use.' }],
  options: newKeyOptions,
  ways: eitherWay(newKeyOptions, {
    policy: ['repository'],
    both: ['newPasswordFile', 'newInsecureNoPassword', 'user', 'host'],
  }),
  check: checkNewKey,
});

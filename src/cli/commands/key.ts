import { command } from '../command.ts';
import { flag, text } from '../option.ts';
import { repositoryOption } from '../repository-option.ts';

export const keyOptions = repositoryOption;

export const newKeyOptions = {
  ...repositoryOption,
  newPasswordFile: text('file', 'read the new password from a file'),
  newInsecureNoPassword: flag('the new password is empty (insecure)'),
  user: text('name', 'user name that the key is marked with'),
  host: text('name', 'host name that the key is marked with'),
} as const;

export const keyList = command({
  name: 'key list',
  summary: 'List keys (passwords)',
  operands: '',
  examples: [{ line: 'holdfast key list', does: 'Every key; * marks the one in use.' }],
  options: keyOptions,
});

export const keyAdd = command({
  name: 'key add',
  summary: 'Add a key (password)',
  operands: '',
  examples: [
    { line: 'holdfast key add --user ann', does: 'Asks for a further password that opens the repository too.' },
  ],
  options: newKeyOptions,
});

export const keyRemove = command({
  name: 'key remove',
  summary: 'Remove a key (password)',
  operands: 'KEY',
  examples: [
    {
      line: 'holdfast key remove 5c657874',
      does: 'That password opens the repository no more; the key in use can’t be removed.',
    },
  ],
  options: keyOptions,
});

export const keyPasswd = command({
  name: 'key passwd',
  summary: 'Change the password',
  operands: '',
  examples: [{ line: 'holdfast key passwd', does: 'Adds a key with the new password, then removes the one in use.' }],
  options: newKeyOptions,
});

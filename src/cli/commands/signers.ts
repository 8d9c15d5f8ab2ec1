import { command } from '../command.ts';
import { text } from '../option.ts';

export const signersOptions = {} as const;

export const recordsSigners = command({
  name: 'records signers',
  summary: 'Show whose signatures under records are believed',
  operands: '',
  worksOn: 'a policy',
  examples: [
    {
      line: 'holdfast records signers',
      does: 'This host’s own key first; then whom the policy believes, and whom these introduced.',
    },
  ],
  options: signersOptions,
});

export const trustOptions = {
  whose: text('name', 'whose key it is: a host, a person'),
} as const;

export const recordsTrust = command({
  name: 'records trust',
  summary: 'Introduce a signing key: believe what it signs',
  operands: 'KEY',
  worksOn: 'a policy',
  examples: [
    {
      line: 'holdfast records trust 3q2+7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= --whose db2',
      does: 'After `records signers` on db2 has shown its key.',
    },
  ],
  about: [
    'It is a record itself, signed by this host’s key, which must be believed: named by `signers:` of the policy, or introduced by one that is. A key can’t be taken back yet: take the one that introduced it out of the policy.',
  ],
  options: trustOptions,
});

import { command } from '../command.ts';
import { flag, text } from '../option.ts';

export const configCheck = command({
  name: 'config check',
  summary: 'Tell whether a policy file can be understood and can hold',
  operands: '',
  worksOn: 'a policy',
  examples: [
    { line: 'holdfast config check', does: 'All that is wrong with ./holdfast.yaml at once, each with its place.' },
    { line: 'holdfast config check --config shop.yaml --json', does: 'The same of another file, for programs.' },
  ],
  about: [
    'It also reads every secret that the file refers to, and says which can’t be had; it shows none. What this version',
    'understands and doesn’t do yet is called so by name. Exit code 2: the file is refused.',
  ],
  options: {},
});

export const configExplain = command({
  name: 'config explain',
  summary: 'Show what holds for components, and where each value comes from',
  operands: '[COMPONENT…]',
  worksOn: 'a policy',
  examples: [
    {
      line: 'holdfast config explain shop-db',
      does: 'Its effective policy: defaults, template, tier and its own words, each with its line.',
    },
  ],
  options: {},
  output: 'its purpose',
});

export const configSchema = command({
  name: 'config schema',
  summary: 'Print the form of a policy file as JSON Schema, for editors',
  operands: '',
  worksOn: 'nothing',
  examples: [
    {
      line: 'holdfast config schema > holdfast.schema.json',
      does: 'With `# yaml-language-server: $schema=holdfast.schema.json` on top of the policy, editors complete it.',
    },
  ],
  options: {},
  output: 'its purpose',
});

export const configInitOptions = {
  output: text('file', 'where the policy is written', { fallback: './holdfast.yaml' }),
  newPasswordFile: text('file', 'where the new password is written; one that is there is taken as it is', {
    fallback: './holdfast-password',
  }),
  place: text('address', 'where the first repository shall stand', { fallback: './holdfast-backups' }),
} as const;

export const configInit = command({
  name: 'config init',
  summary: 'Look at this host and propose a policy for what is found',
  operands: '',
  worksOn: 'nothing',
  examples: [
    {
      line: 'holdfast config init --place /mnt/disk/holdfast',
      does: 'Writes a commented ./holdfast.yaml and a new password; read both, then `holdfast init` and `holdfast backup --all`.',
    },
  ],
  about: ['It only looks at usual places: nothing is run, nobody connected to, and no file replaced.'],
  options: configInitOptions,
});

export const configSheetOptions = {
  html: flag('print HTML for a printer'),
  withPasswords: flag('print the passwords, too: keep such a sheet in a safe'),
} as const;

export const configSheet = command({
  name: 'config sheet',
  summary: 'Print what is needed to recover when nothing else is left',
  operands: '',
  worksOn: 'a policy',
  examples: [
    {
      line: 'holdfast config sheet --html > sheet.html',
      does: 'Addresses, and how to get everything back with restic alone.',
    },
  ],
  options: configSheetOptions,
  output: 'its purpose',
});

import { command } from '../command.ts';

export const configCheck = command({
  name: 'config check',
  summary: 'Tell whether a policy file can be understood and can hold',
  operands: '',
  arity: { least: 0, most: 0 },
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
  arity: { least: 0, most: Infinity },
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
  arity: { least: 0, most: 0 },
  examples: [
    {
      line: 'holdfast config schema > holdfast.schema.json',
      does: 'With `# yaml-language-server: $schema=holdfast.schema.json` on top of the policy, editors complete it.',
    },
  ],
  options: {},
  output: 'its purpose',
});

import { command } from '../command.ts';
import { snapshotFilter } from '../globals.ts';
import { list } from '../option.ts';

export const tagOptions = {
  ...snapshotFilter,
  add: list('tag[,tag]', 'add these'),
  remove: list('tag[,tag]', 'take these off'),
  set: list('tag[,tag]', 'set exactly these'),
} as const;

export const tag = command({
  name: 'tag',
  summary: 'Change the tags of snapshots',
  operands: '[SNAPSHOT…]',
  worksOn: 'a repository',
  examples: [
    { line: 'holdfast tag --add keep latest', does: 'One more tag for the newest snapshot.' },
    { line: 'holdfast tag --set monthly,cold 4bba301e', does: 'Exactly these tags.' },
  ],
  about: [
    'A snapshot’s ID is the hash of what it holds: it changes with the tags, and `original` keeps the first one.',
  ],
  options: tagOptions,
  check: async ({ values }) => void (await import('../checks/tag.ts')).changeOf(values),
});

import { command } from '../command.ts';
import { flag, parsed, wholeNumber } from '../option.ts';

export const cacheOptions = {
  cleanup: flag('remove old caches'),
  maxAge: parsed('days', wholeNumber, 'from how many days on a cache is old', { fallback: '30' }),
  noSize: flag('don’t measure'),
} as const;

export const cache = command({
  name: 'cache',
  summary: 'List and clean the caches on this machine',
  operands: '',
  worksOn: 'anything',
  examples: [
    { line: 'holdfast cache', does: 'The cache of each repository, its size and last use.' },
    { line: 'holdfast cache --cleanup --max-age 7', does: 'Removes those that were not used for a week.' },
  ],
  options: cacheOptions,
  output: 'its purpose',
});

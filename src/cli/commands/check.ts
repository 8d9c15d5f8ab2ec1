import { HoldfastError } from '../../errors/error.ts';
import { command } from '../command.ts';
import { snapshotFilter } from '../globals.ts';
import { flag, text } from '../option.ts';

export const checkOptions = {
  ...snapshotFilter,
  readData: flag('read and check all data'),
  readDataSubset: text('subset', 'read a part: 1/7, 10% or 500M'),
  locks: flag('read until when all that the snapshots need is locked (Object Lock)'),
  withCache: flag('accepted for restic’s sake: the cache is never used'),
} as const;

export const check = command({
  name: 'check',
  summary: 'Check the repository for damage',
  operands: '',
  worksOn: 'a repository',
  examples: [
    { line: 'holdfast check', does: 'Every snapshot’s structure, and that every pack is there with its size.' },
    { line: 'holdfast check --read-data', does: 'Reads everything.' },
    {
      line: 'holdfast check --read-data-subset 1/7',
      does: 'One seventh of the packs: everything in a week. 10% or 500M pick at random.',
    },
  ],
  about: [
    'A finding names the snapshots and files that it touches; then the exit code is 1. The cache is never believed.',
  ],
  options: checkOptions,
  check: async ({ values: { readData, readDataSubset } }) => {
    if (readData && readDataSubset !== undefined)
      throw new HoldfastError('usage', '--read-data and --read-data-subset can’t stand together');
    if (readDataSubset !== undefined) (await import('../../repository/check.ts')).parseSubset(readDataSubset);
  },
});

import { command } from '../command.ts';
import { snapshotFilter } from '../globals.ts';
import { flag, list, text } from '../option.ts';
import { recordedReading, readingOptions } from '../reading-options.ts';
import { eitherWay } from '../ways.ts';

export const findOptions = {
  ...snapshotFilter,
  ...readingOptions,
  oldest: text('time', 'changed at this time or later', { short: 'O' }),
  newest: text('time', 'changed at this time or earlier', { short: 'N' }),
  snapshot: list('snapshot', 'search in this snapshot', { short: 's' }),
  ignoreCase: flag('whatever the case of letters', { short: 'i' }),
  reverse: flag('oldest snapshot first', { short: 'R' }),
  long: flag('modes, owners, sizes and times too', { short: 'l' }),
  humanReadable: flag('sizes with units'),
  blob: flag('patterns are IDs of blobs'),
  tree: flag('patterns are IDs of trees'),
  pack: flag('patterns are IDs of packs'),
  showPackId: flag('name the pack of each blob or tree'),
} as const;

export const find = command({
  name: 'find',
  summary: 'Find files in snapshots by name, or blobs, trees and packs by ID',
  operands: 'PATTERN… | COMPONENT PATTERN…',
  worksOn: 'either',
  examples: [
    { line: 'holdfast find "*.sqlite"', does: 'Every snapshot in which such a file is.' },
    { line: 'holdfast find -i --newest 2026-08-01 invoice', does: 'Whatever the case, not changed after that day.' },
    { line: 'holdfast find --blob b46ebe8a', does: 'The files that need this blob, also when it is lost.' },
    { line: 'holdfast find --pack 025c1d06', does: 'The files that need this pack.' },
    { line: 'holdfast find uploads invoice.pdf', does: 'Which points of a component hold a file of that name.' },
  ],
  about: [recordedReading],
  options: findOptions,
  ways: eitherWay(findOptions, {
    policy: ['at', 'from'],
    both: ['oldest', 'newest', 'ignoreCase', 'reverse', 'long', 'humanReadable', 'blob', 'tree', 'pack', 'showPackId'],
  }),
  check: async ({ values, operands }, _context, by) =>
    void (await import('../checks/find.ts')).wantedOf(values, operands, by),
  output: 'its purpose',
});

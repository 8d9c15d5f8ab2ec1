import type { Note } from '../events/events.ts';
import type { PruneJobOptions } from '../job/prune.ts';
import { pruneDefaults, type PruneOptions, type PruneStatistics } from '../repository/prune.ts';
import { pruneWayOf, unusedLimit } from './checks/prune.ts';
import type { pruneOptions } from './commands/prune-options.ts';
import type { Console } from './console.ts';
import type { Context } from './context.ts';
import { formatBytes, plural } from './format.ts';
import type { Values } from './option.ts';
import { showSweep } from './sweep-view.ts';
import { writerOptions } from './writer-options.ts';

/** What --max-unused and its companions ask for. */
function pruneOptionsOf(values: Values<typeof pruneOptions>): PruneOptions {
  return {
    ...pruneDefaults,
    maxUnused: values.maxUnused === undefined ? pruneDefaults.maxUnused : unusedLimit(values.maxUnused),
    ...(values.maxRepackSize === undefined ? {} : { maxRepackBytes: values.maxRepackSize }),
    ...(values.repackSmallerThan === undefined ? {} : { repackSmallerThanBytes: values.repackSmallerThan }),
    repackCacheableOnly: values.repackCacheableOnly,
    repackUncompressed: values.repackUncompressed,
  };
}

/** The rest of what a prune needs, and how its plan is shown. */
export function pruneJob(values: Values<typeof pruneOptions>, context: Context): Omit<PruneJobOptions, 'mode'> {
  return {
    prune: pruneOptionsOf(values),
    writer: writerOptions(context.globals),
    way: pruneWayOf(values),
    journals: 'heed',
    onSweep: (plan) => showSweep(plan, context.console),
    onPlan: (statistics) => showStatistics(statistics, context.console),
  };
}

/** What a prune tells beside its plan. */
export function pruneNotes({ console }: Context): { readonly onNote: (note: Note) => void } {
  return {
    onNote: ({ name, data: { removed } }) => {
      if (name !== 'leftovers-removed') return;
      if (console.form === 'json') console.record({ message_type: 'leftovers', removed });
      else console.say(`removed what interrupted writes had left: ${plural(Number(removed), 'file')}`);
    },
  };
}

function showStatistics(statistics: PruneStatistics, console: Console): void {
  if (console.form === 'json') console.record(record(statistics));
  else for (const [line, from] of lines(statistics)) console.say(line, from);
}

function record({ blobs, bytes, packs }: PruneStatistics): unknown {
  return {
    message_type: 'summary',
    blobs: snakeCase(blobs),
    bytes: snakeCase(bytes),
    packfiles: snakeCase(packs),
  };
}

/** restic's names of the members are ours in another spelling. */
function snakeCase(counts: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  const entries = Object.entries(counts).map(([name, count]): readonly [string, number] => [
    name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    count,
  ]);
  return Object.fromEntries<number>(entries);
}

type Line = readonly [text: string, from: 1 | 2];

function lines({ blobs, bytes, packs }: PruneStatistics): readonly Line[] {
  const row = (label: string, count: number, size: number): string =>
    `${label.padEnd(14)}${String(count).padStart(10)} blobs / ${formatBytes(size)}`;
  const packRow = (label: string, count: number): Line => [`${label.padEnd(20)}${String(count).padStart(10)}`, 2];
  return [
    [row('used:', blobs.used, bytes.used), 2],
    [row('duplicates:', blobs.duplicate, bytes.duplicate), 2],
    [row('unused:', blobs.unused, bytes.unused), 2],
    [`unreferenced: ${formatBytes(bytes.unreferenced).padStart(28)}`, 2],
    [row('total:', blobs.total, bytes.total), 2],
    [row('to repack:', blobs.repack, bytes.repack), 1],
    [row('this removes:', blobs.repackRemove, bytes.repackRemove), 1],
    [row('to delete:', blobs.remove, bytes.remove + bytes.unreferenced), 1],
    [row('total prune:', blobs.removeTotal, bytes.removeTotal), 1],
    [row('remaining:', blobs.remaining, bytes.remaining), 1],
    [
      `unused size after prune: ${formatBytes(bytes.remainingUnused)} (${percent(bytes.remainingUnused, bytes.remaining)} of remaining size)`,
      1,
    ],
    packRow('totally used packs:', packs.used),
    packRow('partly used packs:', packs.partlyUsed),
    packRow('unused packs:', packs.unused),
    packRow('packs to keep:', packs.keep),
    packRow('packs to repack:', packs.repack),
    packRow('packs to delete:', packs.remove),
    packRow('unreferenced packs:', packs.unreferenced),
  ];
}

function percent(part: number, whole: number): string {
  return whole === 0 ? '0%' : `${((part / whole) * 100).toFixed(2)}%`;
}

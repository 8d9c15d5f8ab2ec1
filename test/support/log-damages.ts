import { copyFile, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Extent, LogStore } from '../../src/log/log.ts';
import { notedSegment } from '../../src/source/postgres/stream/noted-segment.ts';

/** A log of one timeline: whole segments, and pieces of the one behind them. */
export interface Damageable {
  /** Of its first timeline, below `holdfast/log`. */
  readonly closed: string;
  readonly open: string;
  readonly store: LogStore;
  /** In order; the last but one holds rows, as those before it do. */
  readonly segments: readonly { readonly extent: Extent; readonly bytes: Uint8Array }[];
}

/** The same, as if another cluster of the same major had written it: its system identifier is another. */
function another(bytes: Uint8Array): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(copy.readUInt8(24) ^ 1, 24);
  return copy;
}

/** The segment before it. */
function first({ segments }: Damageable): Damageable['segments'][number] {
  const [one] = segments;
  if (one === undefined) throw new Error('too few segments');
  return one;
}

/** What `restore --latest` may make of it: never anything else than a refusal, or rows that were committed, and said so. */
export type Outcome =
  | { readonly refused: RegExp }
  /** All rows of the segments before; what is told of it. */
  | { readonly upTo: 'the backup' | 'before the damage' | 'the pieces' | 'all'; readonly told?: RegExp };

export interface LogDamage {
  readonly what: string;
  readonly inflict: (log: Damageable) => Promise<void>;
  readonly outcome: Outcome;
}

const nameOf = ({ from, to }: Extent): string => [from, to].map((at) => at.toString(16).padStart(16, '0')).join('-');

/** The object in the midst that is damaged; rows stand before it, in it and behind it. */
function middle({ segments }: Damageable): Damageable['segments'][number] {
  const one = segments[1];
  if (one === undefined) throw new Error('too few segments');
  return one;
}

const pathOf = (log: Damageable, suffix = ''): string => join(log.closed, `${nameOf(middle(log).extent)}${suffix}`);

async function flip(path: string): Promise<void> {
  const bytes = await readFile(path);
  const at = bytes.length >> 1;
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  await writeFile(path, bytes);
}

/** As somebody who has the key, and stores what isn't the server's. */
async function putAnew({ store }: Damageable, extent: Extent, bytes: Uint8Array): Promise<void> {
  await store.remove([extent]);
  await store.put(extent, bytes, { facts: {} });
}

async function piecesIn({ open }: Damageable): Promise<readonly string[]> {
  return (await readdir(open)).toSorted().map((name) => join(open, name));
}

const damaged = { refused: /damaged|MAC|does not hold|is not whole|too short|can.t be (?:read|opened)/i } as const;
const brokenOff = { refused: /breaks off behind|\(source-failed|\(replay-failed/ } as const;

export const logDamages: readonly LogDamage[] = [
  {
    what: 'a segment of another cluster is stored in the midst',
    inflict: async (log) => await putAnew(log, middle(log).extent, another(middle(log).bytes)),
    outcome: brokenOff,
  },
  {
    what: 'a segment in the midst is gone',
    inflict: async (log) => await rm(pathOf(log)),
    outcome: { upTo: 'before the damage', told: /is held from 0\/\w+ on too, but nothing has it between/ },
  },
  { what: 'a bit of a segment is flipped', inflict: async (log) => await flip(pathOf(log)), outcome: damaged },
  {
    what: 'two segments have changed places',
    inflict: async (log) => {
      const [one, other] = [pathOf(log), join(log.closed, nameOf(first(log).extent))];
      await rename(one, `${one}.x`);
      await rename(other, one);
      await rename(`${one}.x`, other);
    },
    outcome: { refused: /holds the content of another/ },
  },
  {
    what: 'a piece in the midst of the open segment is gone',
    inflict: async (log) => await rm((await piecesIn(log))[1] ?? ''),
    outcome: { upTo: 'the pieces', told: /is held from 0\/\w+ on too, but nothing has it between/ },
  },
  { what: 'a sidecar is flipped', inflict: async (log) => await flip(pathOf(log, '.about')), outcome: { upTo: 'all' } },
  {
    what: 'a sidecar is gone',
    inflict: async (log) => await rm(pathOf(log, '.about')),
    outcome: { upTo: 'all' },
  },
  {
    what: 'a sidecar is that of another segment',
    inflict: async (log) =>
      await copyFile(`${join(log.closed, nameOf(first(log).extent))}.about`, pathOf(log, '.about')),
    outcome: { upTo: 'all' },
  },
  {
    what: 'a sidecar tells what another segment holds',
    inflict: async (log) => {
      const { extent, bytes } = middle(log);
      await log.store.remove([extent]);
      await log.store.put(extent, bytes, notedSegment(first(log).extent, first(log).bytes));
    },
    outcome: { upTo: 'all' },
  },
  { what: 'a segment is cut', inflict: async (log) => await truncate(pathOf(log), 1000), outcome: damaged },
  { what: 'a segment is empty', inflict: async (log) => await truncate(pathOf(log), 0), outcome: damaged },
  {
    what: 'a gap is named where a segment is held',
    inflict: async (log) => await log.store.putGap(middle(log).extent, 'forged'),
    outcome: { upTo: 'all' },
  },
  {
    what: 'a segment is stored as the one before it',
    inflict: async (log) => await putAnew(log, middle(log).extent, first(log).bytes),
    outcome: brokenOff,
  },
  {
    what: 'a segment is zeros from its middle on',
    inflict: async (log) => {
      const { extent, bytes } = middle(log);
      await putAnew(log, extent, Buffer.from(bytes).fill(0, 1024));
    },
    outcome: brokenOff,
  },
  {
    what: 'a piece is another’s bytes',
    inflict: async (log) => {
      const [piece] = (await log.store.list()).pieces;
      if (piece === undefined) throw new Error('there are no pieces');
      const bytes = another(await log.store.getPiece(piece));
      await log.store.removePieces([piece]);
      await log.store.putPiece(piece, bytes);
    },
    outcome: brokenOff,
  },
  { what: 'a piece is flipped', inflict: async (log) => await flip((await piecesIn(log))[0] ?? ''), outcome: damaged },
  {
    what: 'the whole log is gone',
    inflict: async (log) => {
      for (const folder of [log.closed, log.open]) await rm(folder, { recursive: true });
    },
    outcome: { upTo: 'the backup', told: /log: 0 segments/ },
  },
];

import type { Extent, Left, Listing, LogName, Piece, Sighting } from './log.ts';

const [closed, open] = ['holdfast/log/', 'holdfast/open/'];

export function closedFolder({ component, stream }: LogName): string {
  return `${closed}${component}/${stream}/`;
}

export function openFolder({ component, stream }: LogName): string {
  return `${open}${component}/${stream}/`;
}

export function segmentKey(log: LogName, extent: Extent): string {
  return `${closedFolder(log)}${within(extent)}`;
}

export function historyKey(log: LogName, epoch: number): string {
  return `${closedFolder(log)}${epochName(epoch)}/history`;
}

export function leftKey(log: LogName, { epoch, at }: Left): string {
  return `${closedFolder(log)}${epochName(epoch)}/left-${position(at)}`;
}

export function pieceKey(log: LogName, { segment, from, to }: Piece): string {
  return `${openFolder(log)}${within(segment)}.${span(from, to)}`;
}

export function sightingKey(log: LogName, { epoch, at, timeNs }: Pick<Sighting, 'epoch' | 'at' | 'timeNs'>): string {
  return `${openFolder(log)}${epochName(epoch)}/${position(at)}.seen-${position(timeNs)}`;
}

const sightingName = /^([0-9a-f]{8})\/([0-9a-f]{16})\.seen-([0-9a-f]{16})$/;

export interface NamedSighting extends Sighting {
  readonly key: string;
}

/** Those that keys name, the newest first; what is within one is known to whoever reads it. */
export function sightingsAmong(log: LogName, keys: readonly string[]): readonly NamedSighting[] {
  const found = keys.flatMap((key): NamedSighting[] => {
    const [, epoch, at, time] = sightingName.exec(key.slice(openFolder(log).length)) ?? [];
    if (epoch === undefined || at === undefined || time === undefined) return [];
    return [{ key, epoch: Number.parseInt(epoch, 16), at: BigInt(`0x${at}`), timeNs: BigInt(`0x${time}`) }];
  });
  return found.toSorted((a, b) => compare(b.timeNs, a.timeNs));
}

function within(extent: Extent): string {
  return `${epochName(extent.epoch)}/${span(extent.from, extent.to)}`;
}

const epochName = (epoch: number): string => epoch.toString(16).padStart(8, '0');
const position = (at: bigint): string => at.toString(16).padStart(16, '0');
const span = (from: bigint, to: bigint): string => `${position(from)}-${position(to)}`;

/** As a tag or a message has it: `7300000000000000000.00000001.0000000002000028-0000000002000138`. */
export function extentText({ stream }: Pick<LogName, 'stream'>, { epoch, from, to }: Extent): string {
  return `${stream}.${epochName(epoch)}.${span(from, to)}`;
}

export function parseExtentText(text: string): (Extent & { readonly stream: string }) | undefined {
  const [, stream, epoch, from, to] =
    /^([a-z0-9][a-z0-9-]{0,62})\.([0-9a-f]{8})\.([0-9a-f]{16})-([0-9a-f]{16})$/.exec(text) ?? [];
  if (stream === undefined || epoch === undefined || from === undefined || to === undefined) return undefined;
  return { stream, ...extentOf(epoch, from, to) };
}

function extentOf(epoch: string, from: string, to: string): Extent {
  return { epoch: Number.parseInt(epoch, 16), from: BigInt(`0x${from}`), to: BigInt(`0x${to}`) };
}

/** The stream that a key of a component is of; undefined for one of another's. */
export function streamOf(component: string, key: string): string | undefined {
  for (const folder of [`${closed}${component}/`, `${open}${component}/`])
    if (key.startsWith(folder)) return key.slice(folder.length).split('/')[0];
  return undefined;
}

export const streamFolders = (component: string): readonly string[] => [
  `${closed}${component}/`,
  `${open}${component}/`,
];

const closedName = /^([0-9a-f]{8})\/(?:(history)|([0-9a-f]{16})-([0-9a-f]{16})(?:\.(about|partial|gap))?)$/;
const leftName = /^([0-9a-f]{8})\/left-([0-9a-f]{16})$/;
const openName = /^([0-9a-f]{8})\/([0-9a-f]{16})-([0-9a-f]{16})\.([0-9a-f]{16})-([0-9a-f]{16})$/;

/** What these keys name of a log; a name that we don't give is nobody's, nor is one of what can't be. */
export function listingOf(log: LogName, keys: Iterable<string>): Listing {
  const [closedAt, openAt] = [closedFolder(log), openFolder(log)];
  const listing: Growing = { segments: [], partials: [], gaps: [], histories: [], left: [], pieces: [] };
  for (const key of keys) {
    if (key.startsWith(openAt)) addPiece(listing, key.slice(openAt.length));
    else if (key.startsWith(closedAt)) addClosed(listing, key.slice(closedAt.length));
  }
  return inTheirOrder(listing);
}

interface Growing {
  readonly segments: Extent[];
  readonly partials: Extent[];
  readonly gaps: Extent[];
  readonly histories: number[];
  readonly left: Left[];
  readonly pieces: Piece[];
}

const listOfKind = { partial: 'partials', gap: 'gaps' } as const;

function addClosed(listing: Growing, name: string): void {
  const [, epoch, history, from, to, kind] = closedName.exec(name) ?? [];
  if (epoch === undefined) return addLeft(listing, name);
  if (history !== undefined) listing.histories.push(Number.parseInt(epoch, 16));
  if (from === undefined || to === undefined || kind === 'about') return;
  const list = kind === 'partial' || kind === 'gap' ? listOfKind[kind] : 'segments';
  const extent = extentOf(epoch, from, to);
  if (list === 'gaps' ? extent.from < extent.to : isSegment(extent)) listing[list].push(extent);
}

/** No log has larger ones (PostgreSQL's `--with-wal-segsize`): memory is taken by what a name says. */
const mostSegmentBytes = 1n << 30n;

function isSegment({ from, to }: Extent): boolean {
  return from < to && to - from <= mostSegmentBytes;
}

function addLeft({ left }: Growing, name: string): void {
  const [, epoch, at] = leftName.exec(name) ?? [];
  if (epoch !== undefined && at !== undefined) left.push({ epoch: Number.parseInt(epoch, 16), at: BigInt(`0x${at}`) });
}

function addPiece({ pieces }: Growing, name: string): void {
  const [, epoch, from, to, at, end] = openName.exec(name) ?? [];
  if (epoch === undefined || from === undefined || to === undefined || at === undefined || end === undefined) return;
  const [segment, piece] = [extentOf(epoch, from, to), extentOf(epoch, at, end)];
  const isWithin = segment.from <= piece.from && piece.from < piece.to && piece.to <= segment.to;
  if (isSegment(segment) && isWithin) pieces.push({ segment, from: piece.from, to: piece.to });
}

/** Each kind in the order of epochs and positions. */
export function inTheirOrder({ segments, partials, gaps, histories, left, pieces }: Listing): Listing {
  return {
    segments: segments.toSorted(inOrder),
    partials: partials.toSorted(inOrder),
    gaps: gaps.toSorted(inOrder),
    histories: histories.toSorted((a, b) => a - b),
    left: left.toSorted((a, b) => a.epoch - b.epoch || compare(a.at, b.at)),
    pieces: pieces.toSorted((a, b) => inOrder({ epoch: a.segment.epoch, ...a }, { epoch: b.segment.epoch, ...b })),
  };
}

function inOrder(a: Extent, b: Extent): number {
  return a.epoch - b.epoch || compare(a.from, b.from) || compare(a.to, b.to);
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

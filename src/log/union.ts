import type { Listing } from './log.ts';
import { inTheirOrder } from './names.ts';

/** What several repositories hold of one log together. */
export function unionOf(listings: readonly Listing[]): Listing {
  const all = <T>(of: (listing: Listing) => readonly T[]): T[] => unique(listings.flatMap(of));
  return inTheirOrder({
    segments: all(({ segments }) => segments),
    partials: all(({ partials }) => partials),
    gaps: all(({ gaps }) => gaps),
    histories: all(({ histories }) => histories),
    left: all(({ left }) => left),
    pieces: all(({ pieces }) => pieces),
  });
}

function unique<T>(items: readonly T[]): T[] {
  const inWords = (item: T): string =>
    JSON.stringify(item, (_key, value: unknown) => (typeof value === 'bigint' ? `${value}` : value));
  return [...new Map(items.map((item) => [inWords(item), item])).values()];
}

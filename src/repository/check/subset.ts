import type { FileId } from '../../bytes/ids.ts';
import { HoldfastError } from '../../errors/error.ts';
import { firstByte } from '../by-pack.ts';

/** Which packs are read: all, or as `--read-data-subset` says. */
export type Subset =
  | { readonly kind: 'all' }
  /** Group `number` of `groups`, by the first byte of the ID: all groups together are all packs. */
  | { readonly kind: 'group'; readonly number: number; readonly groups: number }
  /** So many of a hundred, at random. */
  | { readonly kind: 'percent'; readonly percent: number }
  /** Packs of about so many bytes together, at random. */
  | { readonly kind: 'bytes'; readonly bytes: number };

const maxGroups = 256;

/** `1/7`, `2.5%` or `500M`, as restic reads them; 'usage' for anything else. */
export function parseSubset(text: string): Subset {
  const group = /^(\d+)\/(\d+)$/.exec(text);
  if (group) return groupOf(Number(group[1]), Number(group[2]), text);
  const percent = /^(\d+(?:\.\d*)?|\.\d+)%$/.exec(text);
  if (percent) return percentOf(Number(percent[1]), text);
  const size = /^(\d+)([bkmgt]?)$/i.exec(text);
  const bytes = size
    ? Number(size[1]) * 1024 ** ' kmgt'.indexOf((size[2] ?? '').toLowerCase().replace('b', '') || ' ')
    : 0;
  if (bytes > 0 && Number.isSafeInteger(bytes)) return { kind: 'bytes', bytes };
  throw refused(text, 'give a group like 1/7, a part like 10%, or a size like 500M');
}

function groupOf(number: number, groups: number, text: string): Subset {
  if (number >= 1 && number <= groups && groups <= maxGroups) return { kind: 'group', number, groups };
  throw refused(text, `in n/t, n is from 1 to t, and t at most ${maxGroups}`);
}

function percentOf(percent: number, text: string): Subset {
  if (percent > 0 && percent <= 100) return { kind: 'percent', percent };
  throw refused(text, 'a part is above 0% and at most 100%');
}

function refused(text: string, why: string): HoldfastError {
  return new HoldfastError('usage', `can't read the subset ${JSON.stringify(text)}: ${why}`);
}

/** A pack and its size in bytes. */
export type SizedPack = readonly [FileId, number];

/** `random` gives 0 up to 1. */
export function selectPacks(packs: readonly SizedPack[], subset: Subset, random: () => number): readonly SizedPack[] {
  if (subset.kind === 'all') return packs;
  if (subset.kind === 'group') return packs.filter(([pack]) => firstByte(pack) % subset.groups === subset.number - 1);
  if (subset.kind === 'percent') return sample(packs, subset.percent, random);
  const total = packs.reduce((sum, [, sizeBytes]) => sum + sizeBytes, 0);
  return sample(packs, total === 0 ? 100 : Math.min(100, (subset.bytes / total) * 100), random);
}

/** At least one, where there are any. */
function sample(packs: readonly SizedPack[], percent: number, random: () => number): readonly SizedPack[] {
  const wanted = Math.min(packs.length, Math.max(1, Math.floor(packs.length * (percent / 100))));
  const shuffled = [...packs];
  for (let at = 0; at < wanted; at += 1) {
    const other = at + Math.floor(random() * (shuffled.length - at));
    const [one, two] = [shuffled[at], shuffled[other]];
    if (one && two) [shuffled[at], shuffled[other]] = [two, one];
  }
  return shuffled.slice(0, wanted);
}

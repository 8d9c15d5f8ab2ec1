/** Transactions as ranges of their numbers, from and to included, ascending. */
export interface XidRanges {
  readonly ranges: readonly (readonly [number, number])[];
  /** exact: each number of a range was there. coarse: some between them were not. */
  readonly precision: 'exact' | 'coarse';
}

/** As few ranges as hold these numbers exactly; at most `most`, by closing the smallest gaps. */
export function xidRanges(xids: Iterable<number>, most: number): XidRanges {
  const sorted = Uint32Array.from(xids).sort();
  const gaps = gapsOf(sorted);
  const kept = gaps.length < most ? gaps : largest(gaps, sorted, most - 1);
  const bounds = [-1, ...kept, sorted.length - 1];
  const ranges = bounds.slice(1).map((end, index): readonly [number, number] => {
    const start = (bounds[index] ?? 0) + 1;
    return [sorted[start] ?? 0, sorted[end] ?? 0];
  });
  return { ranges: sorted.length === 0 ? [] : ranges, precision: kept === gaps ? 'exact' : 'coarse' };
}

/** The places behind which a number is missing. */
function gapsOf(sorted: Uint32Array): readonly number[] {
  const gaps: number[] = [];
  for (let at = 0; at + 1 < sorted.length; at++) if (gapAfter(sorted, at) > 1) gaps.push(at);
  return gaps;
}

function gapAfter(sorted: Uint32Array, at: number): number {
  return (sorted[at + 1] ?? 0) - (sorted[at] ?? 0);
}

function largest(gaps: readonly number[], sorted: Uint32Array, count: number): readonly number[] {
  const bySize = gaps.toSorted((a, b) => gapAfter(sorted, b) - gapAfter(sorted, a));
  return bySize.slice(0, count).toSorted((a, b) => a - b);
}

/** maybe: within a range that is coarse. */
export function holdsXid({ ranges, precision }: XidRanges, xid: number): 'yes' | 'maybe' | 'no' {
  const isWithin = ranges.some(([from, to]) => from <= xid && xid <= to);
  if (!isWithin) return 'no';
  return precision === 'exact' || ranges.some(([from, to]) => from === xid || to === xid) ? 'yes' : 'maybe';
}

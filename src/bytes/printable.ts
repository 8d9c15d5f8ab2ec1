import { printableRuns } from './printable-runs.ts';

/** Where runs start; even indices start runs that aren't printable. */
const starts: Uint32Array = runStarts();

/** Go's strconv.IsPrint. */
export function isPrintable(codePoint: number): boolean {
  let low = 0;
  let high = starts.length;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if ((starts[middle] ?? Infinity) <= codePoint) low = middle;
    else high = middle;
  }
  return low % 2 === 1;
}

function runStarts(): Uint32Array {
  const lengths = printableRuns.split(' ').map((length) => Number.parseInt(length, 36));
  let at = 0;
  return Uint32Array.from(lengths, (length) => {
    const start = at;
    at += length;
    return start;
  });
}

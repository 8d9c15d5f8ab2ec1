import { readFileSync } from 'node:fs';
import { rawPath, rawPathOf, type RawPath } from '../bytes/ids.ts';
import { HoldfastError } from '../errors/error.ts';

/** An argument as the bytes that were typed: Node reads arguments as UTF-8, which loses names that aren't. */
export function rawArgument(text: string): RawPath {
  if (!text.includes('\uFFFD') || process.platform !== 'linux') return rawPathOf(text);
  const typed = typedArguments().filter((bytes) => bytes.toString('utf8') === text);
  const candidates = new Set(typed.map(rawPath));
  const [only = rawPathOf(text)] = candidates;
  if (candidates.size < 2) return only;
  throw new HoldfastError(
    'usage',
    `two arguments differ only in bytes that are no UTF-8: ${text}; name them in a file for --files-from-raw`,
  );
}

function typedArguments(): readonly Buffer[] {
  const all = readFileSync('/proc/self/cmdline');
  const list: Buffer[] = [];
  for (let start = 0, end = all.indexOf(0); end >= 0; start = end + 1, end = all.indexOf(0, start)) {
    list.push(all.subarray(start, end));
  }
  return list;
}

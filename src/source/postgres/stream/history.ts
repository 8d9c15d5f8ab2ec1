import { HoldfastError } from '../../../errors/error.ts';
import type { History } from '../../../log/log.ts';
import { parseLsn } from '../lsn.ts';

/**
 * What a timeline's file `<timeline>.history` says of its ancestry: a line for each ancestor, oldest first, `parent TAB
 * LSN TAB reason`, as timeline.c writes it; a line that begins with `#` says nothing, while a reason may hold one. The first of
 * these is what the file is; those of its ancestors are what it begins with: each began as a copy of its parent's file, byte
 * by byte, and a line feed.
 */
export function historiesIn(timeline: number, bytes: Uint8Array): readonly History[] {
  const forks = linesOf(bytes)
    .filter(({ line }) => line !== '' && !line.startsWith('#'))
    .map(({ line, at }) => ({ ...forkOf(timeline, line), at }));
  const timelines = [...forks.map(({ parent }) => parent).slice(1), timeline];
  const all = forks.map(({ parent, forkedAt }, index) => {
    const next = forks[index + 1]?.at;
    const own = next === undefined ? bytes : bytes.subarray(0, next - 1);
    return { epoch: timelines[index] ?? timeline, parent, forkedAt, bytes: Buffer.from(own) };
  });
  return all.toReversed();
}

/** Those of the ancestors alone; none where it is none of a timeline. */
export function ancestryIn({ epoch, bytes }: History): readonly History[] {
  try {
    return historiesIn(epoch, bytes).slice(1);
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    return [];
  }
}

/** Without the white space around them. A reason has the characters of whichever database it is of: bytes stay bytes. */
function linesOf(bytes: Uint8Array): readonly { readonly line: string; readonly at: number }[] {
  let at = 0;
  return Buffer.from(bytes)
    .toString('latin1')
    .split('\n')
    .map((whole) => {
      const begins = at;
      at += whole.length + 1;
      return { line: whole.trim(), at: begins };
    });
}

function forkOf(timeline: number, line: string): Omit<History, 'epoch' | 'bytes'> {
  const [, parent, lsn] = /^(\d+)\s+([0-9A-F]+\/[0-9A-F]+)(?:\s|$)/i.exec(line) ?? [];
  if (parent === undefined || lsn === undefined || Number(parent) >= timeline)
    throw new HoldfastError('source-failed', `the history of timeline ${timeline} holds a line that is none: ${line}`);
  return { parent: Number(parent), forkedAt: parseLsn(lsn) };
}

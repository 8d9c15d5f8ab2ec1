import { HoldfastError } from '../../../errors/error.ts';
import type { History } from '../../../log/log.ts';
import { parseLsn } from '../lsn.ts';

/**
 * What a timeline's file `<timeline>.history` says of its ancestry: a line for each ancestor, oldest first, `parent TAB
 * LSN TAB reason`, as timeline.c writes it. The first of these is what the file is; those of its ancestors are as far as
 * they can be told from it: each began as a copy of its parent's file.
 */
export function historiesIn(timeline: number, text: string): readonly History[] {
  const forks = text
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== '')
    .map((line) => forkOf(timeline, line));
  const timelines = [...forks.map(({ parent }) => parent).slice(1), timeline];
  const all = forks.map(({ parent, forkedAt }, index) => {
    const epoch = timelines[index] ?? timeline;
    const lines = forks.slice(0, index + 1).map(({ line }) => `${line}\n`);
    return { epoch, parent, forkedAt, bytes: Buffer.from(epoch === timeline ? text : lines.join('\n')) };
  });
  return all.toReversed();
}

function forkOf(timeline: number, line: string): Omit<History, 'epoch' | 'bytes'> & { readonly line: string } {
  const [, parent, lsn] = /^(\d+)\s+([0-9A-F]+\/[0-9A-F]+)(?:\s|$)/i.exec(line) ?? [];
  if (parent === undefined || lsn === undefined || Number(parent) >= timeline)
    throw new HoldfastError('source-failed', `the history of timeline ${timeline} holds a line that is none: ${line}`);
  return { parent: Number(parent), forkedAt: parseLsn(lsn), line };
}

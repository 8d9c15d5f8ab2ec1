import type { ProofTable } from './proof.ts';

/** What happens beside a deferred prune. */
const columns = [
  'restic backup',
  'restic prune',
  'restic repair index',
  'rustic backup',
  'rustic prune',
  'backup of ours',
  'prune of ours',
  'power cut',
] as const;

type Other = (typeof columns)[number];

const lockFree: readonly Other[] = ['rustic backup', 'rustic prune', 'power cut'];
const everybody = columns.filter((other) => other !== 'power cut');

/**
 * Where the prune stands meanwhile (it marks, drops from the index, and a day later deletes), and what can happen then:
 * locks keep the others out, and between its steps there is nothing of it that a power cut could hit.
 */
const phases = {
  'from before the mark until after it': ['restic backup', 'rustic backup', 'backup of ours'],
  'in the mark': [...lockFree, 'prune of ours'],
  'between mark and drop': everybody,
  'in the drop': lockFree,
  'between drop and deletion': everybody,
  'in the deletion': lockFree,
} as const satisfies Readonly<Record<string, readonly Other[]>>;

export type PrunePhase = keyof typeof phases;

/** One column of the table, in these rows. */
export function besidePrune(other: Other, cells: Readonly<Partial<Record<PrunePhase, string>>>): ProofTable {
  const rows = Object.entries(phases).flatMap(([phase, possible]: readonly [string, readonly Other[]]) => {
    const cell = Object.entries(cells).find(([name]) => name === phase)?.[1];
    if (cell === undefined) return [];
    return [[phase, ...columns.map((one) => (one === other ? cell : possible.includes(one) ? null : '–'))]];
  });
  return { title: 'A deferred prune beside others', columns: ['the prune', ...columns], rows };
}

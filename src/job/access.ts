import { HoldfastError } from '../errors/error.ts';
import type { RecoverablePoint, StoredCopy } from '../point/point.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { pointWanted } from './component-restore.ts';
import { bounded, type Asked } from './bounded.ts';
import { contextIn, type ComponentContext } from './component.ts';
import { surestFirst } from './expected.ts';
import type { JobContext } from './job.ts';

export interface Access {
  readonly component: string;
  /** Of each point that is read: the newest of then or before; the newest of all where undefined. */
  readonly moments: readonly (bigint | undefined)[];
  /** Out of this repository of the policy; the nearest one that holds all without it. */
  readonly from: string | undefined;
  /** What somebody does. */
  readonly action: string;
  /** Paths, patterns: what is asked for. */
  readonly asked: Asked;
}

/**
 * Lets somebody read what points hold. It is recorded before anything is shown: who kills the program, or reads no
 * further, has read all the same. What the reading comes to is not recorded.
 */
export async function readPoints<T>(
  context: ComponentContext,
  access: Access,
  read: (job: JobContext, snapshots: readonly Snapshot[]) => Promise<T>,
): Promise<T> {
  const { component, moments, action, asked } = access;
  const points: RecoverablePoint[] = [];
  for (const atNs of moments)
    points.push((await pointWanted(context, { component, ...(atNs === undefined ? {} : { atNs }) })).point);
  const { repository, snapshots } = placeOfAll(context, points, access);
  const data = { action, points: points.map(({ identity }) => identity), ...bounded(asked) };
  await context.recording?.record({ kind: 'access', component, repository, data });
  return await read(contextIn(context, repository), snapshots);
}

interface Place {
  readonly repository: string;
  readonly snapshots: readonly Snapshot[];
}

/** The nearest repository that holds a copy of each. */
function placeOfAll(
  { policy }: ComponentContext,
  points: readonly RecoverablePoint[],
  { component, from }: Access,
): Place {
  const held = points.map((point) => surestFirst(policy, point).filter((copy) => copy.held === 'repository'));
  const [first = []] = held;
  for (const { repository } of first) {
    if (from !== undefined && repository !== from) continue;
    const copies = held.map((all) => all.find((copy) => copy.repository === repository));
    const snapshots = copies.flatMap((copy: StoredCopy | undefined) => copy?.snapshot ?? []);
    if (snapshots.length === points.length) return { repository, snapshots };
  }
  const where = from ?? 'no repository';
  throw new HoldfastError('snapshot-not-found', `${where} holds what is to be read of ${component}`, {
    next: 'See `holdfast snapshots --points` for what is held where. Nothing was changed.',
  });
}

import { HoldfastError } from '../errors/error.ts';
import type { Asked } from '../job/bounded.ts';
import type { JobContext } from '../job/job.ts';
import type { FindOptions } from '../snapshot/snapshots.ts';
import { jobContext } from './access.ts';
import { goesByPolicy } from './by-policy.ts';
import type { Context } from './context.ts';

/** What is read, as the command line says it with -r and with a policy, and what of it is for the record. */
export interface Reading {
  readonly action: string;
  readonly snapshots: readonly string[];
  readonly find: () => FindOptions;
  readonly component: string;
  /** A point each; undefined is the newest. */
  readonly times: readonly (string | undefined)[];
  readonly at: string | undefined;
  readonly from: string | undefined;
  readonly asked: Asked;
}

export type Read<T> = (job: JobContext, names: readonly string[], find: FindOptions) => Promise<T>;

/**
 * Shows somebody what is in backups: in snapshots of the repository of -r, or in points of a component of a policy,
 * where who read what is recorded.
 */
export async function reading<T>(context: Context, how: Reading, read: Read<T>): Promise<T> {
  const { action, at, from, snapshots, find } = how;
  if (await goesByPolicy(context)) {
    refuseFilters(context);
    const { readComponent } = await import('./components/reading.ts');
    return await readComponent(context, how, read);
  }
  if (at !== undefined || from !== undefined)
    throw new HoldfastError('usage', `${action}: --at and --from are for components of a policy`);
  return await read(jobContext(context), snapshots, find());
}

/** A component's points are its own, whatever host made them. */
function refuseFilters({ given }: Context): void {
  const flag = ['host', 'tag', 'path', 'snapshot'].map((key) => given(key)).find(({ origin }) => origin === 'flag');
  if (flag !== undefined) throw new HoldfastError('usage', `${flag.label} can’t stand beside a policy`);
}

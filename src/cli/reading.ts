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
  readonly from: string | undefined;
  readonly asked: Asked;
}

export type Read<T> = (job: JobContext, names: readonly string[], find: FindOptions) => Promise<T>;

/**
 * Shows somebody what is in backups: in snapshots of the repository of -r, or in points of a component of a policy,
 * where who read what is recorded.
 */
export async function reading<T>(context: Context, how: Reading, read: Read<T>): Promise<T> {
  const { snapshots, find } = how;
  if (await goesByPolicy(context)) {
    const { readComponent } = await import('./components/reading.ts');
    return await readComponent(context, how, read);
  }
  return await read(jobContext(context), snapshots, find());
}

import { wholeRepository, type RecordKind } from '../record/record.ts';
import { contextIn, recorded, type ComponentContext, type NewRecord } from './component.ts';
import type { JobContext } from './job.ts';

export interface RepositoryWork<T> {
  /** By its name in the policy. */
  readonly repository: string;
  readonly kind: RecordKind;
  readonly run: (context: JobContext) => Promise<T>;
  readonly dataOf: (outcome: T) => NewRecord['data'];
}

/** Does something to a whole repository of a policy, and records it: no component alone is concerned. */
export async function onRepository<T>(
  context: ComponentContext,
  { repository, kind, run, dataOf }: RepositoryWork<T>,
): Promise<T> {
  const about = { kind, component: wholeRepository, repository };
  return await recorded(context, about, async () => await run(contextIn(context, repository)), dataOf);
}

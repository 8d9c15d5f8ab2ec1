import type { Listener } from '../events/events.ts';
import type { ComponentContext } from '../job/component.ts';
import type { RepositoryWork } from '../job/on-repository.ts';
import { jobContext } from './access.ts';
import { goesByPolicy } from './by-policy.ts';
import type { Context } from './context.ts';

export interface AtRepository<T> extends Omit<RepositoryWork<T>, 'repository'> {
  /** What --repository says. */
  readonly named: string | undefined;
  readonly mode: ComponentContext['mode'];
  readonly listener: Listener;
}

/** Works on the repository that is meant: that of -r, or one of a policy, where what was done is recorded. */
export async function atRepository<T>(context: Context, { named, mode, ...work }: AtRepository<T>): Promise<T> {
  const { listener } = work;
  if (!(await goesByPolicy(context))) return await work.run(jobContext(context, listener));
  const { workOn } = await import('./components/repositories.ts');
  return await workOn(context, { ...work, named, mode });
}

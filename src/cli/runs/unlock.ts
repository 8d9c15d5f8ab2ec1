import { unlock } from '../../job/unlock.ts';
import { atRepository } from '../at-repository.ts';
import type { Run } from '../command.ts';
import type { unlockOptions } from '../commands/unlock.ts';
import { plural } from '../format.ts';

export const run: Run<typeof unlockOptions> = async ({ values }, context) => {
  const which = values.removeAll ? 'all' : 'stale';
  const removed = await atRepository(context, {
    named: values.repository,
    mode: 'execute',
    listener: context.listener,
    kind: 'lock',
    run: async (job) => await unlock(job, which),
    dataOf: (locks) => ({ outcome: 'done', action: 'removed', which, locks }),
  });
  if (removed > 0) context.console.say(`removed ${plural(removed, 'lock')}`);
  return 0;
};

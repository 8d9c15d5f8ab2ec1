import { unlock } from '../../job/unlock.ts';
import { jobContext } from '../access.ts';
import type { Run } from '../command.ts';
import type { unlockOptions } from '../commands/unlock.ts';
import { plural } from '../format.ts';

export const run: Run<typeof unlockOptions> = async ({ values }, context) => {
  const removed = await unlock(jobContext(context), values.removeAll ? 'all' : 'stale');
  if (removed > 0) context.console.say(`removed ${plural(removed, 'lock')}`);
  return 0;
};

import { HoldfastError } from '../../errors/error.ts';
import { prune } from '../../job/prune.ts';
import { jobContext } from '../access.ts';
import type { Run } from '../command.ts';
import type { pruneRunOptions } from '../commands/prune.ts';
import { plural } from '../format.ts';
import { showProgress } from '../progress.ts';
import { pruneJob, pruneNotes } from '../prune-view.ts';

export const run: Run<typeof pruneRunOptions> = async ({ values }, context) => {
  const { console, globals } = context;
  if (globals.noLock && !values.dryRun) throw new HoldfastError('usage', 'prune: --no-lock goes with --dry-run only');
  using view = showProgress(context, pruneNotes(context));
  const mode = values.dryRun ? 'dry-run' : 'execute';
  const { failedRemovals } = await prune(jobContext(context, view.listener), { ...pruneJob(values, context), mode });
  if (failedRemovals > 0)
    console.say(`${plural(failedRemovals, 'pack')} could not be removed: the next prune tries again`);
  console.say(values.dryRun ? 'nothing was changed: this was a dry run' : 'done');
  return failedRemovals === 0 ? 0 : 1;
};

import { HoldfastError } from '../../errors/error.ts';
import { prune } from '../../job/prune.ts';
import { jobContext } from '../access.ts';
import type { Run } from '../command.ts';
import type { pruneRunOptions } from '../commands/prune.ts';
import { showHeldBack } from '../held-back-view.ts';
import { showProgress } from '../progress.ts';
import { pruneJob, pruneNotes } from '../prune-view.ts';
import { pruneExitCode, showPruned } from '../sweep-view.ts';

/** Exit code 3: some packs could not be removed, or what was ripe was put off. */
export const run: Run<typeof pruneRunOptions> = async ({ values }, context) => {
  const { console, globals } = context;
  if (globals.noLock && !values.dryRun) throw new HoldfastError('usage', 'prune: --no-lock goes with --dry-run only');
  if (values.discardJournals && values.dryRun) {
    throw new HoldfastError('usage', 'prune: --discard-journals changes the repository, --dry-run does not');
  }
  using view = showProgress(context, pruneNotes(context));
  const mode = values.dryRun ? 'dry-run' : 'execute';
  const journals = values.discardJournals ? 'discard' : 'heed';
  const options = { ...pruneJob(values, context), mode, journals } as const;
  const outcome = await prune(jobContext(context, view.listener), options);
  showPruned(outcome, console);
  showHeldBack(outcome.heldBack, console);
  console.say(values.dryRun ? 'nothing was changed: this was a dry run' : 'done');
  return pruneExitCode(outcome);
};

import { prune } from '../../job/prune.ts';
import { recordOfPrune } from '../../job/prune-record.ts';
import type { PruneStatistics } from '../../repository/prune.ts';
import { atRepository } from '../at-repository.ts';
import type { Invocation, Run } from '../command.ts';
import type { pruneRunOptions } from '../commands/prune.ts';
import type { Context } from '../context.ts';
import { showHeldBack } from '../held-back-view.ts';
import { showProgress } from '../progress.ts';
import { pruneJob, pruneNotes } from '../prune-view.ts';
import { pruneExitCode, showPruned } from '../sweep-view.ts';

type Values = Invocation<typeof pruneRunOptions>['values'];

/** Exit code 3: some packs could not be removed, or what was ripe was put off. */
export const run: Run<typeof pruneRunOptions> = async ({ values }, context) => {
  if (!values.all) return await pruneOne(values, context, values.repository);
  const { forEachRepository } = await import('../components/repositories.ts');
  return await forEachRepository(context, async (name) => await pruneOne(values, context, name));
};

/** The exit code. */
async function pruneOne(values: Values, context: Context, named: string | undefined): Promise<number> {
  const { console } = context;
  using view = showProgress(context, pruneNotes(context));
  const mode = values.dryRun ? 'dry-run' : 'execute';
  const journals = values.discardJournals ? 'discard' : 'heed';
  const asked = { ...pruneJob(values, context), mode, journals } as const;
  let planned: PruneStatistics | undefined;
  const onPlan = (statistics: PruneStatistics): void => {
    planned = statistics;
    asked.onPlan(statistics);
  };
  const outcome = await atRepository(context, {
    named,
    mode,
    listener: view.listener,
    kind: 'prune',
    run: async (job) => await prune(job, { ...asked, onPlan }),
    dataOf: (pruned) => recordOfPrune(asked, planned, pruned),
  });
  showPruned(outcome, console);
  showHeldBack(outcome.heldBack, console);
  console.say(values.dryRun ? 'nothing was changed: this was a dry run' : 'done');
  return pruneExitCode(outcome);
}

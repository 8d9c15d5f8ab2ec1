import { copy } from '../../job/copy.ts';
import { jobContext, repositoryAccess } from '../access.ts';
import type { Run } from '../command.ts';
import type { copyOptions } from '../commands/copy.ts';
import { goesByPolicy } from '../by-policy.ts';
import { copyView } from '../copy-view.ts';
import { fromLocation } from '../location.ts';
import { findOptions } from '../selection.ts';
import { cacheFolder } from '../cache.ts';
import { writerOptions } from '../writer-options.ts';

/** Exit code 3: some snapshot could not be copied, for the source has lost a part of it. */
export const run: Run<typeof copyOptions> = async ({ values, operands }, context) => {
  if (await goesByPolicy(context)) {
    const { copyComponents } = await import('../components/backup.ts');
    return await copyComponents({ names: operands, values }, context);
  }
  const from = fromLocation(values, context);
  using view = copyView(context, values.dryRun ? 'dry-run' : 'execute');
  const outcome = await copy(jobContext(context, view.listener), {
    ...findOptions(values, context),
    from: repositoryAccess(context, from),
    places: { from: 'the source', to: 'the target' },
    names: operands,
    writer: writerOptions(context.globals),
    mode: values.dryRun ? 'dry-run' : 'execute',
    onPlan: view.plan,
    onCopied: view.copied,
    lockMemory: cacheFolder(context),
  });
  view.finish(outcome);
  return outcome.lost.length + outcome.unreadable === 0 ? 0 : 3;
};

import { HoldfastError } from '../../errors/error.ts';
import type { PruneWay } from '../../job/prune.ts';
import type { UnusedLimit } from '../../repository/prune.ts';
import type { pruneOptions } from '../commands/prune-options.ts';
import type { pruneRunOptions } from '../commands/prune.ts';
import type { Context } from '../context.ts';
import type { Values } from '../option.ts';
import { sizeBytes } from '../quantity.ts';

export function checkPrune(values: Values<typeof pruneRunOptions>, context: Pick<Context, 'globals'>): void {
  if (context.globals.noLock && !values.dryRun)
    throw new HoldfastError('usage', 'prune: --no-lock goes with --dry-run only');
  if (values.discardJournals && values.dryRun)
    throw new HoldfastError('usage', 'prune: --discard-journals changes the repository, --dry-run does not');
  if (values.all && values.repository !== undefined)
    throw new HoldfastError('usage', 'prune: --all and --repository can’t stand together');
  checkPruning(values, context);
}

/** What `prune` and `forget --prune` have in common. */
export function checkPruning(values: Values<typeof pruneOptions>, { globals }: Pick<Context, 'globals'>): void {
  if (values.repackUncompressed && globals.compression === 'off')
    throw new HoldfastError('usage', '--compression off and --repack-uncompressed can’t stand together');
  pruneWayOf(values);
  if (values.maxUnused !== undefined) unusedLimit(values.maxUnused);
}

export function pruneWayOf({ instant, deferred }: Pick<Values<typeof pruneOptions>, 'instant' | 'deferred'>): PruneWay {
  if (instant && deferred) throw new HoldfastError('usage', '--instant and --deferred can’t stand together');
  if (instant) return 'instant';
  return deferred ? 'deferred' : 'fitting';
}

export function unusedLimit(text: string): UnusedLimit {
  if (text === 'unlimited') return { kind: 'unlimited' };
  if (!text.endsWith('%')) return { kind: 'bytes', bytes: sizeBytes(text, '--max-unused') };
  const percent = Number(text.slice(0, -1));
  if (!/^\d+(?:\.\d+)?%$/.test(text) || percent >= 100) {
    throw new HoldfastError('usage', `--max-unused: ${JSON.stringify(text)} is not a part from 0% to below 100%`);
  }
  return { kind: 'percent', percent };
}

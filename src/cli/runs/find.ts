import { parsePathPatterns } from '../../bytes/path-pattern.ts';
import { HoldfastError } from '../../errors/error.ts';
import { find, type FindJobOptions } from '../../job/find.ts';
import type { FindQuery } from '../../snapshot/find.ts';
import { goesByPolicy } from '../by-policy.ts';
import type { Invocation, Run } from '../command.ts';
import type { findOptions as findCommandOptions } from '../commands/find.ts';
import { findView } from '../find-view.ts';
import { rawArgument } from '../raw-argument.ts';
import { reading } from '../reading.ts';
import { findOptions } from '../selection.ts';
import { timeOf } from '../time-argument.ts';

type Values = Invocation<typeof findCommandOptions>['values'];

export const run: Run<typeof findCommandOptions> = async ({ values, operands }, context) => {
  const view = findView(context.console, values);
  const byPolicy = await goesByPolicy(context);
  const [component = '', ...patterns] = operands;
  if (byPolicy && patterns.length === 0)
    throw new HoldfastError('usage', 'find: what? By a policy it is `find COMPONENT PATTERN…`');
  const wanted = wantedOf(values, byPolicy ? patterns : operands);
  // Which backup holds a file is asked of all of them, unless a time is named.
  const all = byPolicy && values.at === undefined;
  const how = {
    action: 'find',
    snapshots: values.snapshot,
    find: () => findOptions(values, context),
    component,
    times: [values.at],
    at: values.at,
    from: values.from,
    asked: { ...(all ? { snapshots: ['all'] } : {}), patterns },
  };
  const outcome = await reading(context, how, async (job, names, selection) =>
    find(job, {
      ...selection,
      names: all ? [] : names,
      order: values.reverse ? 'oldest first' : 'newest first',
      wanted,
      onNode: (snapshot, found) => view.node(snapshot, found),
      onBlob: (snapshot, found) => view.blob(snapshot, found),
    }),
  );
  view.finish(outcome);
  return 0;
};

function wantedOf(values: Values, operands: readonly string[]): FindJobOptions['wanted'] {
  const [kind, other] = (['blob', 'tree', 'pack'] as const).filter((one) => values[one]);
  if (other !== undefined) throw new HoldfastError('usage', 'find: only one of --blob, --tree and --pack');
  if (kind !== undefined) return { kind: `${kind}s`, ids: operands.map(objectId) };
  const query: FindQuery = {
    patterns: parsePathPatterns(operands.map(rawArgument), { case: values.ignoreCase ? 'ignored' : 'exact' }),
    ...(values.oldest === undefined ? {} : { oldestNs: timeOf(values.oldest, '--oldest') }),
    ...(values.newest === undefined ? {} : { newestNs: timeOf(values.newest, '--newest') }),
  };
  if ((query.oldestNs ?? 0n) > (query.newestNs ?? query.oldestNs ?? 0n)) {
    throw new HoldfastError('usage', '--oldest is after --newest');
  }
  return { kind: 'nodes', query };
}

/** Anything else would match nothing, and look as if nothing used the object. */
function objectId(text: string): string {
  if (/^([0-9a-f]{8}|[0-9a-f]{64})$/.test(text)) return text;
  throw new HoldfastError(
    'usage',
    `find: ${JSON.stringify(text)} is no ID: those have 64 digits (0-9a-f), short ones 8`,
  );
}

import { find } from '../../job/find.ts';
import { goesByPolicy } from '../by-policy.ts';
import { wantedOf } from '../checks/find.ts';
import type { Run } from '../command.ts';
import type { findOptions as findCommandOptions } from '../commands/find.ts';
import { findView } from '../find-view.ts';
import { reading } from '../reading.ts';
import { findOptions } from '../selection.ts';

export const run: Run<typeof findCommandOptions> = async ({ values, operands }, context) => {
  const view = findView(context.console, values);
  const byPolicy = await goesByPolicy(context);
  const [component = '', ...patterns] = operands;
  const wanted = wantedOf(values, operands, byPolicy ? 'policy' : 'repository');
  // Which backup holds a file is asked of all of them, unless a time is named.
  const all = byPolicy && values.at === undefined;
  const how = {
    action: 'find',
    snapshots: values.snapshot,
    find: () => findOptions(values, context),
    component,
    times: [values.at],
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

import { HoldfastError } from '../../errors/error.ts';
import { streamLog } from '../../job/stream-log.ts';
import type { Run } from '../command.ts';
import type { streamOptions } from '../commands/postgres.ts';
import { componentsMeant, recordingContext } from '../components/context.ts';
import { policyOf } from '../policy-file.ts';
import { streamView } from '../stream-view.ts';

/** Ends when it is interrupted, or when what was asked for is durable. */
export const run: Run<typeof streamOptions> = async ({ operands, values }, context) => {
  const { policy } = await policyOf(context);
  const [name = '', ...more] = componentsMeant(policy, operands, false);
  const component = policy.components[name];
  if (component === undefined || more.length > 0)
    throw new HoldfastError('usage', 'one component at a time is streamed: a process each');
  using view = streamView(context, name);
  await using base = await recordingContext(context, policy, { mode: 'execute', listener: view.listener });
  await streamLog(base, { name, component, until: values.untilDurable });
  view.finish();
  return 0;
};

import { HoldfastError } from '../../errors/error.ts';
import { streamLog } from '../../job/stream-log.ts';
import type { Run } from '../command.ts';
import type { streamOptions } from '../commands/postgres.ts';
import type { Context } from '../context.ts';
import { componentsMeant, recordingContext } from '../components/context.ts';
import { policyOf } from '../policy-file.ts';
import { streamView } from '../stream-view.ts';

/** What has come when it is interrupted is stored and recorded within this time: repositories stay open for it. */
const lastMs = 15_000;

/** Ends when it is interrupted, or when what was asked for is durable. */
export const run: Run<typeof streamOptions> = async ({ operands, values }, context) => {
  const { policy } = await policyOf(context);
  const [name = '', ...more] = componentsMeant(policy, operands, false);
  const component = policy.components[name];
  if (component === undefined || more.length > 0)
    throw new HoldfastError('usage', 'one component at a time is streamed: a process each');
  using view = streamView(context, name);
  using late = lateAfter(context);
  const open = { ...context, signal: late.signal };
  await using base = await recordingContext(open, policy, { mode: 'execute', listener: view.listener });
  await streamLog({ ...base, signal: context.signal }, { name, component, until: values.untilDurable });
  view.finish();
  return 0;
};

function lateAfter({ clock, signal }: Context): Disposable & { readonly signal: AbortSignal } {
  const [late, over] = [new AbortController(), new AbortController()];
  const begin = (): void =>
    void clock.sleep(lastMs, over.signal).then(
      () => late.abort(signal.reason),
      () => undefined, // all was stored before
    );
  signal.addEventListener('abort', begin, { once: true });
  return { signal: late.signal, [Symbol.dispose]: () => over.abort() };
}

import { HoldfastError } from '../../errors/error.ts';
import { logWork } from '../../job/log-places.ts';
import { openSource } from '../../job/open-source.ts';
import { componentContext, componentsMeant } from '../components/context.ts';
import type { Context } from '../context.ts';
import { sayAbsent } from '../proven-absent.ts';
import { policyOf } from '../policy-file.ts';

export interface Wanted {
  readonly name: string;
  readonly dataDirectory: string;
  readonly file: string;
  readonly target: string;
}

/** From the repositories: this file alone, or whatever the server will ask for. */
export async function fetch(wanted: Wanted, context: Context, what: 'file' | 'ahead'): Promise<number> {
  const { policy } = await policyOf(context);
  const { name, file } = wanted;
  componentsMeant(policy, [name], false);
  const component = policy.components[name];
  if (component?.log === undefined)
    throw new HoldfastError('refused', `the policy keeps no log of ${name}`, {
      next: 'Write `log:` into the policy. Nothing was changed.',
    });
  await using base = await componentContext(context, policy, { mode: 'execute', listener: context.listener });
  const { log } = openSource(base, name, component);
  if (log?.fetch === undefined) throw new HoldfastError('unsupported', `${name} has no log that a server can fetch`);
  const own = { ...logWork(base, name, component), ...wanted };
  if (what === 'ahead') {
    await log.fetchAhead?.(own);
    return 0;
  }
  return (await log.fetch(own)) === 'delivered' ? 0 : sayAbsent(name, file, context);
}

import { resolve } from 'node:path';
import { HoldfastError } from '../../errors/error.ts';
import { logWork } from '../../job/log-places.ts';
import { openSource } from '../../job/open-source.ts';
import type { Run } from '../command.ts';
import { componentContext, componentsMeant } from '../components/context.ts';
import { policyOf } from '../policy-file.ts';

const provenAbsent = 44;

/** Works in the data directory that it was started in. */
export const run: Run<Readonly<Record<never, never>>> = async ({ operands }, context) => {
  const [name = '', file = '', target = ''] = operands;
  const { policy } = await policyOf(context);
  componentsMeant(policy, [name], false);
  const component = policy.components[name];
  if (component?.log === undefined)
    throw new HoldfastError('refused', `the policy keeps no log of ${name}`, {
      next: 'Write `log:` into the policy. Nothing was changed.',
    });
  await using base = await componentContext(context, policy, { mode: 'execute', listener: context.listener });
  const { log } = openSource(base, name, component);
  if (log?.fetch === undefined) throw new HoldfastError('unsupported', `${name} has no log that a server can fetch`);
  const dataDirectory = process.cwd();
  const own = { ...logWork(base, name, component), dataDirectory, file, target: resolve(dataDirectory, target) };
  const found = await log.fetch(own);
  if (found === 'delivered') return 0;
  context.console.say(`${name}: no place of its log holds ${file}`);
  return provenAbsent;
};

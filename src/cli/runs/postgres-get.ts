import { resolve } from 'node:path';
import { HoldfastError } from '../../errors/error.ts';
import { logWork } from '../../job/log-places.ts';
import { openSource } from '../../job/open-source.ts';
import { startAside } from '../../host/aside.ts';
import type { Run } from '../command.ts';
import type { archiveGetOptions } from '../commands/postgres-archive.ts';
import { componentContext, componentsMeant } from '../components/context.ts';
import { policyOf } from '../policy-file.ts';
import { ownCommand, placeOptions } from '../program.ts';

const provenAbsent = 44;

/** Works in the data directory that it was started in. */
export const run: Run<typeof archiveGetOptions> = async ({ operands, values }, context) => {
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
  const words = ['postgres', 'archive-get', name, file, target, '--ahead', ...placeOptions(context)];
  const startAhead = (logPath: string): void => void startAside(ownCommand(), words, logPath);
  const own = {
    ...logWork(base, name, component),
    dataDirectory,
    file,
    target: resolve(dataDirectory, target),
    startAhead,
  };
  if (values.ahead) {
    await log.fetchAhead?.(own);
    return 0;
  }
  const found = await log.fetch(own);
  if (found === 'delivered') return 0;
  context.console.say(`${name}: no place of its log holds ${file}`);
  return provenAbsent;
};

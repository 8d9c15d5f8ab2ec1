import { open } from 'node:fs/promises';
import { cleanPath, joinPath } from '../../bytes/unix-path.ts';
import { HoldfastError } from '../../errors/error.ts';
import { dump } from '../../job/dump.ts';
import { jobContext } from '../access.ts';
import type { Run } from '../command.ts';
import type { dumpOptions } from '../commands/dump.ts';
import { rawArgument } from '../raw-argument.ts';
import { findOptions } from '../selection.ts';

/** To standard output only the dump is written, so that nothing mixes with it. */
export const run: Run<typeof dumpOptions> = async ({ values, operands }, context) => {
  const [name = '', path = ''] = operands;
  const options = {
    name,
    find: findOptions(values, context),
    path: cleanPath(joinPath('/', rawArgument(path))),
    format: values.archive ?? 'tar',
  };
  const silentOnOutput = { ...context, console: { ...context.console, terminal: undefined } };
  if (values.target === undefined) {
    if (process.stdout.isTTY && values.archive !== undefined) {
      throw new HoldfastError('usage', 'dump: an archive is nothing for a terminal: say --target FILE');
    }
    await dump(jobContext(silentOnOutput), { ...options, write: async (bytes) => await context.console.raw(bytes) });
    return 0;
  }
  await using file = await open(values.target, 'w');
  await dump(jobContext(silentOnOutput), { ...options, write: async (bytes) => await file.writeFile(bytes) });
  await file.sync();
  return 0;
};

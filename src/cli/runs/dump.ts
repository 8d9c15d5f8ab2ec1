import { cleanPath, joinPath } from '../../bytes/unix-path.ts';
import { dump } from '../../job/dump.ts';
import { jobContext } from '../access.ts';
import type { Run } from '../command.ts';
import type { dumpOptions } from '../commands/dump.ts';
import type { Console } from '../console.ts';
import { rawArgument } from '../raw-argument.ts';
import { findOptions } from '../selection.ts';
import { TargetFile } from '../target-file.ts';

/** To standard output only the dump is written, so that nothing mixes with it. */
export const run: Run<typeof dumpOptions> = async ({ values, operands }, context) => {
  const [name = '', path = ''] = operands;
  const options = {
    name,
    find: findOptions(values, context),
    path: cleanPath(joinPath('/', rawArgument(path))),
    format: values.archive ?? 'tar',
  };
  const silentOnOutput = { ...context, console: besideOutput(context.console) };
  if (values.target === undefined) {
    const archives = context.console.terminal === undefined ? 'written' : 'refused';
    const write = async (bytes: Uint8Array): Promise<void> => await context.console.raw(bytes);
    await dump(jobContext(silentOnOutput), { ...options, archives, write });
    return 0;
  }
  await using file = new TargetFile(values.target);
  const write = async (bytes: Uint8Array): Promise<void> => await file.write(bytes);
  await dump(jobContext(silentOnOutput), { ...options, archives: 'written', write });
  await file.finish();
  return 0;
};

/** What there is to say goes where errors go. */
function besideOutput(console: Console): Console {
  return {
    ...console,
    terminal: undefined,
    say: (line, from = 1) => {
      if (console.form === 'text' && console.verbosity >= from) console.complain(line, undefined);
    },
    record: (value) => console.complain('', value),
  };
}

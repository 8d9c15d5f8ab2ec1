import { displayPath } from '../../bytes/ids.ts';
import { cleanPath, joinPath } from '../../bytes/unix-path.ts';
import { dump, type DumpJobOptions } from '../../job/dump.ts';
import type { Invocation, Run } from '../command.ts';
import type { dumpOptions } from '../commands/dump.ts';
import type { Console } from '../console.ts';
import type { Context } from '../context.ts';
import { rawArgument } from '../raw-argument.ts';
import { reading } from '../reading.ts';
import { findOptions } from '../selection.ts';
import { TargetFile } from '../target-file.ts';

/** To standard output only the dump is written, so that nothing mixes with it. */
export const run: Run<typeof dumpOptions> = async ({ values, operands }, context) => {
  if (values.target === undefined) {
    const archives = context.console.terminal === undefined ? 'written' : 'refused';
    await dumpTo({ values, operands }, context, { archives, write: async (bytes) => await context.console.raw(bytes) });
    return 0;
  }
  await using file = new TargetFile(values.target);
  await dumpTo({ values, operands }, context, {
    archives: 'written',
    write: async (bytes) => await file.write(bytes),
  });
  await file.finish();
  return 0;
};

async function dumpTo(
  { values, operands }: Invocation<typeof dumpOptions>,
  context: Context,
  to: Pick<DumpJobOptions, 'archives' | 'write'>,
): Promise<void> {
  const [name = '', text = ''] = operands;
  const path = cleanPath(joinPath('/', rawArgument(text)));
  const silentOnOutput = { ...context, console: besideOutput(context.console) };
  const { at, from, archive: format = 'tar' } = values;
  const how = {
    action: 'dump',
    snapshots: [name],
    find: () => findOptions(values, context),
    component: name,
    times: [at],
    from,
    asked: { paths: [displayPath(path)] },
  };
  await reading(silentOnOutput, how, async (job, [snapshot = name], find) =>
    dump(job, { name: snapshot, find, path, format, ...to }),
  );
}

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

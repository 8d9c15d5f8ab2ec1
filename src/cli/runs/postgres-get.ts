import { resolve } from 'node:path';
import { startAside, type Aside } from '../../host/aside.ts';
import { takeLogFile } from '../../source/archiving.ts';
import type { Run } from '../command.ts';
import type { archiveGetOptions } from '../commands/postgres-archive.ts';
import type { Context } from '../context.ts';
import { sayAbsent } from '../proven-absent.ts';
import { ownCommand, placeOptions } from '../program.ts';

/** Works in the data directory that it was started in. What needs the policy is loaded where nothing fetches ahead. */
export const run: Run<typeof archiveGetOptions> = async ({ operands, values }, context) => {
  const [name = '', file = '', path = ''] = operands;
  const dataDirectory = process.cwd();
  const target = resolve(dataDirectory, path);
  const taken = values.ahead ? 'unknown' : await take(name, { file, path, target }, context);
  if (taken === 'delivered') return 0;
  if (taken === 'absent') return sayAbsent(name, file, context);
  const { fetch } = await import('./postgres-archive-fetch.ts');
  return await fetch({ name, dataDirectory, file, target }, context, values.ahead ? 'ahead' : 'file');
};

interface Place {
  readonly file: string;
  readonly path: string;
  readonly target: string;
}

async function take(
  name: string,
  { file, path, target }: Place,
  context: Context,
): Promise<'delivered' | 'absent' | 'unknown'> {
  const { clock, signal } = context;
  const words = ['postgres', 'archive-get', name, file, path, '--ahead', ...placeOptions(context)];
  const startAhead = (logPath: string): Aside => startAside(ownCommand(), words, logPath);
  return await takeLogFile({ file, target, startAhead, clock, signal });
}

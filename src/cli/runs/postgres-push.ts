import { resolve } from 'node:path';
import { HoldfastError } from '../../errors/error.ts';
import { startAside, type Aside } from '../../host/aside.ts';
import { pushLogFile } from '../../source/archiving.ts';
import type { Run } from '../command.ts';
import type { archivePushOptions } from '../commands/postgres-archive.ts';
import type { Context } from '../context.ts';
import { ownCommand, placeOptions } from '../program.ts';
import { stateFolder } from '../state-folder.ts';

/** A server waits for each: what needs the policy is the worker's, and loaded with it. */
export const run: Run<typeof archivePushOptions> = async ({ operands, values }, context) => {
  const [component = '', path] = operands;
  if (values.worker !== (path === undefined))
    throw new HoldfastError('usage', 'postgres archive-push: either a FILE, or --worker');
  if (path === undefined) {
    const { work } = await import('./postgres-archive-worker.ts');
    return await work(component, context);
  }
  const { clock, signal } = context;
  const dataDirectory = process.cwd();
  const folder = resolve(stateFolder(context));
  const startWorker = (logPath: string): Aside => startAside(ownCommand(), workerWords(component, context), logPath);
  await pushLogFile({ component, path, dataDirectory, stateFolder: folder, startWorker, clock, signal });
  return 0;
};

function workerWords(component: string, context: Context): readonly string[] {
  return ['postgres', 'archive-push', component, '--worker', ...placeOptions(context)];
}

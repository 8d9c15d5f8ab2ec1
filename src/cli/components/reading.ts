import { HoldfastError } from '../../errors/error.ts';
import { readPoints } from '../../job/access.ts';
import type { Context } from '../context.ts';
import { policyOf } from '../policy-file.ts';
import type { Read, Reading } from '../reading.ts';
import { presentTime } from '../selection.ts';
import { componentsMeant, recordingContext } from './context.ts';
import { momentAt } from './moment.ts';

/** Reads points of a component, out of one repository. */
export async function readComponent<T>(
  context: Context,
  { component: named, times, from, action, asked }: Reading,
  read: Read<T>,
): Promise<T> {
  const { policy } = await policyOf(context);
  const [component = named] = componentsMeant(policy, [named], false);
  if (from !== undefined && policy.repositories[from] === undefined)
    throw new HoldfastError('usage', `--from: there is no repository ${JSON.stringify(from)}`);
  const moments = times.map((time) => momentAt(time === 'latest' ? undefined : time, policy, context)?.ns);
  await using base = await recordingContext(context, policy, { mode: 'execute', listener: context.listener });
  const find = {
    filter: { hosts: [], paths: [], tagLists: [[`hf.component=${component}`]] },
    now: presentTime(context),
  };
  return await readPoints(base, { component, moments, from, action, asked }, async (job, snapshots) => {
    const names = snapshots.map(({ id }) => id);
    return await read(job, names, find);
  });
}

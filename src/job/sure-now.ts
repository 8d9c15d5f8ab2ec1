import { HoldfastError } from '../errors/error.ts';
import { recordFolder } from '../record/record.ts';
import { listOwnObjects } from '../repository/own-object.ts';
import { contextIn, type ComponentContext } from './component.ts';
import { inRepository } from './job.ts';
import { homesOf } from './recorder.ts';

/**
 * A time that has certainly come, for what removes things by their age: now, by this host's clock or by that of the
 * storage that took the component's newest record, whichever is behind. A host whose clock runs ahead takes all for old.
 * Undefined where that storage can't be asked; this host's where nothing is recorded of the component anywhere.
 */
export async function sureNow(context: ComponentContext, component: string): Promise<bigint | undefined> {
  const nowNs = context.clock.nowNs();
  const [home] = homesOf(context.policy, component);
  if (home === undefined) return nowNs;
  try {
    const listed = await inRepository(
      contextIn(context, home),
      'read',
      async (repository) => await listOwnObjects(repository, `${recordFolder}${component}/`),
    );
    const there = listed.flatMap(({ modifiedNs }) => modifiedNs ?? []);
    const newest = there.reduce<bigint | undefined>(
      (latest, one) => (one > (latest ?? one - 1n) ? one : latest),
      undefined,
    );
    return newest !== undefined && newest < nowNs ? newest : nowNs;
  } catch (error) {
    if (!(error instanceof HoldfastError) || context.signal.aborted) throw error;
    return undefined;
  }
}

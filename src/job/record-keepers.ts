import { hasCode, type HoldfastError } from '../errors/error.ts';
import { holdsOwnKeys } from '../policy/kinds-of-repositories.ts';
import type { Policy } from '../policy/policy.ts';
import { unreadableWaiting } from '../record/outbox.ts';
import type { ComponentContext } from './component.ts';
import { fromEach } from './from-each.ts';

/** The repositories of a policy that can hold records. */
export function namesOfKeepers({ repositories }: Policy): readonly string[] {
  return Object.entries(repositories).flatMap(([name, one]) => (holdsOwnKeys(one) ? [name] : []));
}

/** What those say that answer; of each other there is a warning. */
export async function answersOf<T>(
  context: ComponentContext,
  names: readonly string[],
  ask: (name: string) => Promise<T>,
): Promise<readonly T[]> {
  const given = await fromEach(names, ask, context);
  for (const { repository, error } of given) if (error !== undefined) warn(context, repository, error.message);
  return given.flatMap((one) => (one.error === undefined ? [one.value] : []));
}

export function warn({ listener }: Pick<ComponentContext, 'listener'>, item: string, message: string): void {
  listener({ kind: 'warning', during: 'records', item, message });
}

/** Tells of facts that wait on this host and that nobody can read; how many. */
export async function tellUnreadable(context: Pick<ComponentContext, 'stateFolder' | 'listener'>): Promise<number> {
  const unreadable = await waitingUnread(context);
  for (const { message } of unreadable)
    warn(context, 'outbox', `a record that waits on this host can’t be read: ${message}`);
  return unreadable.length;
}

async function waitingUnread({
  stateFolder,
}: Pick<ComponentContext, 'stateFolder'>): Promise<readonly HoldfastError[]> {
  try {
    return await unreadableWaiting({ folder: stateFolder });
  } catch (error) {
    // A folder that can’t be looked into is one error, too.
    if (!hasCode(error, 'refused')) throw error;
    return [error];
  }
}

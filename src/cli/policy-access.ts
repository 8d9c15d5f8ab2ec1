import type { RepositoryAccess } from '../job/job.ts';
import { openRemembering } from '../job/known-repositories.ts';
import type { Policy } from '../policy/policy.ts';
import { accessWith } from './access.ts';
import type { Context } from './context.ts';
import { takeBegun, type Begun } from './policy-opening.ts';
import { placeOf } from './policy-place.ts';
import { stateFolder } from './state-folder.ts';

/** How the repositories of a policy are opened, by their names; each opening starts from nothing, and is remembered. */
export function accessByName(context: Context, policy: Policy): (name: string) => RepositoryAccess {
  return (name) => {
    const begun = async (): Promise<Begun | undefined> => await takeBegun(policy, name);
    const access = accessWith(context, async () => await placeOf(context, policy, name), begun);
    const address = policy.repositories[name]?.url;
    // What was there earlier is no news.
    if (address === undefined || context.globals.asOf !== undefined) return access;
    const memory = { state: { folder: stateFolder(context) }, address };
    return { ...access, open: async () => await openRemembering(memory, access.open, context) };
  };
}

import { join } from 'node:path';
import { HoldfastError } from '../errors/error.ts';
import { hostName } from '../host/users.ts';
import type { Repository } from '../repository/repository.ts';
import type { ComponentContext, RuleOf } from './component.ts';
import { hostLock } from './host-lock.ts';
import { takeLease, type Lease, type Taken } from './lease.ts';
import { homesOf } from './recorder.ts';

/**
 * The right to run a rule now: a lease in the first repository of the component that can hold one. Where none can, or it
 * is out of reach, a lock of this host serves, and a note 'host-lock' says so: then only this host's own runs exclude
 * each other.
 */
export async function turnFor(context: ComponentContext, of: RuleOf): Promise<Lease | Taken> {
  const { policy, clock, signal, askedNs, listener, access } = context;
  // Not the name that the policy gives its snapshots: two machines may share that, and know nothing of each other's processes.
  const holder = { hostname: hostName(), pid: process.pid };
  const [home] = homesOf(policy, of.name);
  let reason = 'no repository of the rule can hold a lease';
  try {
    if (home !== undefined) {
      const repository = await access(home).open();
      const options = { component: of.name, rule: of.ruleName, holder, clock, askedNs };
      return await takeOrClose(repository, async () => await takeLease(repository, options));
    }
  } catch (error) {
    if (!(error instanceof HoldfastError) || signal.aborted) throw error;
    reason = error.message;
  }
  listener({ kind: 'note', name: 'host-lock', data: { component: of.name, rule: of.ruleName, reason } });
  return await hostLock(join(context.stateFolder, 'locks', `${of.name}-${of.ruleName}`));
}

/** The repository stays open as long as the lease does. */
async function takeOrClose(repository: Repository, take: () => Promise<Lease | Taken>): Promise<Lease | Taken> {
  await using closing = new AsyncDisposableStack();
  closing.use(repository);
  const lease = await take();
  if (!('assertHeld' in lease)) return lease;
  const kept = closing.move();
  return {
    assertHeld: async () => await lease.assertHeld(),
    markDone: () => lease.markDone(),
    [Symbol.asyncDispose]: async () => {
      await lease[Symbol.asyncDispose]();
      await kept.disposeAsync();
    },
  };
}

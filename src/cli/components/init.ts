import { HoldfastError, hasCode } from '../../errors/error.ts';
import { currentUser, hostName } from '../../host/users.ts';
import { init, presentAt } from '../../job/init.ts';
import { knownRepository, type KnownRepository } from '../../job/known-repositories.ts';
import type { Policy } from '../../policy/policy.ts';
import type { Context } from '../context.ts';
import { storageAt } from '../opening.ts';
import { accessByName } from '../policy-access.ts';
import { placeOf } from '../policy-place.ts';
import { policyOf } from '../policy-file.ts';
import { stateFolder } from '../state-folder.ts';
import { tellFailed } from './repositories.ts';

/**
 * `init` by a policy: makes each of its repositories that isn't there, and leaves the others alone. All cut files alike,
 * so that copies share their data. Exit code 1: one of them is neither there nor could be made.
 */
export async function initRepositories(context: Context): Promise<number> {
  const { policy } = await policyOf(context);
  const access = accessByName(context, policy);
  let [cut, failed]: [string | undefined, number] = [undefined, 0];
  const missing: string[] = [];
  for (const name of Object.keys(policy.repositories)) {
    try {
      const { id, address, chunkerPolynomial } = await presentAt(access(name));
      cut ??= chunkerPolynomial;
      if (context.console.form === 'json')
        context.console.record({ message_type: 'present', id, name, repository: address });
      context.console.say(`${name}: is there`);
    } catch (error) {
      if (!hasCode(error, 'no-repository')) failed += tell(name, error, context);
      else missing.push(name);
    }
  }
  for (const name of missing) {
    try {
      cut = await made(name, policy, cut, context);
    } catch (error) {
      failed += tell(name, error, context);
    }
  }
  if (missing.length > failed)
    context.console.say('\nKeep the passwords: without them nobody can read the repositories.');
  return failed === 0 ? 0 : 1;
}

/** Resolves with how it cuts files. */
async function made(name: string, policy: Policy, cut: string | undefined, context: Context): Promise<string> {
  const { address, context: own, password } = await placeOf(context, policy, name);
  const storage = await storageAt(own, address, { create: true });
  const owner = { hostname: hostName(), username: currentUser().name };
  const optional = cut === undefined ? {} : { chunkerPolynomial: cut };
  const outcome = await init({ storage, password, owner, version: 2, clock: context.clock, ...optional });
  const before = await knownRepository({ state: { folder: stateFolder(context) }, address });
  const record = {
    message_type: 'initialized',
    id: outcome.id,
    name,
    repository: outcome.address,
    instead_of: before?.id,
  };
  if (context.console.form === 'json') context.console.record(record);
  context.console.say(`${name}: created repository ${outcome.id.slice(0, 10)} at ${outcome.address}`);
  if (before !== undefined) tellReplaced(before, context);
  return cut ?? (await presentAt(accessByName(context, policy)(name))).chunkerPolynomial;
}

function tell(name: string, error: unknown, context: Context): number {
  if (!(error instanceof HoldfastError) || context.signal.aborted) throw error;
  tellFailed(name, error, context);
  return 1;
}

/** Whoever finds the old one again has two. */
function tellReplaced({ id, since }: KnownRepository, { console }: Context): void {
  console.say(`  it is empty: the repository ${id.slice(0, 8)}, known there since ${since}, is gone.`);
  console.say('  If only its disk isn’t mounted, remove this one before you mount it.');
}

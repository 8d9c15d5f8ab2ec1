import { currentUser, hostName } from '../../host/users.ts';
import { HoldfastError } from '../../errors/error.ts';
import { init, presentAt, type InitOptions } from '../../job/init.ts';
import { readSecret } from '../../secret/secret.ts';
import { repositoryAccess } from '../access.ts';
import { goesByPolicy } from '../by-policy.ts';
import { storageAt } from '../opening.ts';
import { askNewSecret } from '../ask.ts';
import type { Invocation, Run } from '../command.ts';
import type { initOptions } from '../commands/init.ts';
import type { Context } from '../context.ts';
import { fromLocation, ownLocation, passwordReference, repositoryAddress } from '../location.ts';

export const run: Run<typeof initOptions> = async ({ values }, context) => {
  if (await goesByPolicy(context)) {
    const { initRepositories } = await import('../components/init.ts');
    return await initRepositories(context);
  }
  const { clock, console, signal } = context;
  const location = ownLocation(context);
  const address = await repositoryAddress(location);
  const reference = passwordReference(location, context);
  const password = reference === undefined ? await askNewSecret(signal) : await readSecret(reference, signal);
  const owner = { hostname: hostName(), username: currentUser().name };
  const cut = await chunkerOf(values, context);
  const storage = await storageAt(context, address, { create: true, asOf: location.asOf });
  const version = values.repositoryVersion === '1' ? 1 : 2;
  const outcome = await init({ storage, password, owner, clock, version, ...cut });
  if (console.form === 'json') {
    console.record({ message_type: 'initialized', id: outcome.id, repository: outcome.address });
    return 0;
  }
  console.say(`created repository ${outcome.id.slice(0, 10)} at ${outcome.address}`);
  if (values.copyChunkerParams) console.say('it cuts files as the source repository does');
  console.say('');
  console.say('Keep the password: without it nobody can read the repository, and it can’t be brought back.');
  return 0;
};

async function chunkerOf(
  values: Invocation<typeof initOptions>['values'],
  context: Context,
): Promise<Pick<InitOptions, 'chunkerPolynomial'>> {
  const from = fromLocation(values, context);
  if (values.copyChunkerParams)
    return { chunkerPolynomial: (await presentAt(repositoryAccess(context, from))).chunkerPolynomial };
  if (from.repo.origin !== 'flag' && from.repositoryFile.origin !== 'flag') return {};
  throw new HoldfastError('usage', 'init: --from-repo goes with --copy-chunker-params only');
}

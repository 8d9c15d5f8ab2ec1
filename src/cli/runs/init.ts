import { currentUser, hostName } from '../../host/users.ts';
import { init } from '../../job/init.ts';
import { readSecret } from '../../secret/secret.ts';
import { storageAt } from '../access.ts';
import { askNewSecret } from '../ask.ts';
import type { Run } from '../command.ts';
import type { initOptions } from '../commands/init.ts';
import { passwordReference, repositoryAddress } from '../location.ts';

export const run: Run<typeof initOptions> = async ({ values }, context) => {
  const { clock, console, signal } = context;
  const address = await repositoryAddress(context);
  const reference = passwordReference(context);
  const password = reference === undefined ? await askNewSecret(signal) : await readSecret(reference, signal);
  const owner = { hostname: hostName(), username: currentUser().name };
  const storage = await storageAt(context, address, { create: true });
  const version = values.repositoryVersion === '1' ? 1 : 2;
  const outcome = await init({ storage, password, owner, clock, version });
  if (console.form === 'json') {
    console.record({ message_type: 'initialized', id: outcome.id, repository: outcome.address });
    return 0;
  }
  console.say(`created repository ${outcome.id.slice(0, 10)} at ${outcome.address}`);
  console.say('');
  console.say('Keep the password: without it nobody can read the repository, and it can’t be brought back.');
  return 0;
};

import { hasCode } from '../errors/error.ts';
import { orAborted } from '../flow/abort.ts';
import { currentUser, hostName } from '../host/users.ts';
import type { JobContext, RepositoryAccess } from '../job/job.ts';
import { openRepository } from '../repository/open.ts';
import type { Repository } from '../repository/repository.ts';
import { readSecret, type Secret } from '../secret/secret.ts';
import { askSecret, canAsk } from './ask.ts';
import { cacheFolder } from './cache.ts';
import type { Context } from './context.ts';
import { ownLocation, passwordReference, repositoryAddress, type Location } from './location.ts';
import { openingWith, takeOpening, type Opening } from './opening.ts';
import { tellThaw } from './thaw-view.ts';

/** What jobs need of a command's context. A command with a progress view gives its listener. */
export function jobContext(context: Context, listener = context.listener): JobContext {
  const access = repositoryAccess(context, ownLocation(context));
  const open: RepositoryAccess['open'] = async () => {
    const begun = await takeOpening(context);
    return begun === undefined ? await access.open() : await finish(context, begun);
  };
  const { clock, signal, console } = context;
  return { access: { ...access, open }, clock, signal, listener, onThaw: (plan) => tellThaw(plan, console) };
}

/** How the repository that is meant is opened. */
export function repositoryAccess(context: Context, location: Location): RepositoryAccess {
  return accessBy(context, location.asOf, async () => await opened(context, location));
}

/** As a policy says: with what it names for this repository; what was begun of it is gone on with. */
export function accessWith(
  context: Context,
  place: () => Promise<{ readonly context: Context; readonly address: string; readonly password: Secret }>,
  takeBegun: () => Promise<{ readonly context: Context; readonly opening: Opening } | undefined>,
): RepositoryAccess {
  const { keyHint, asOf } = context.globals;
  return accessBy(context, asOf, async () => {
    const begun = await takeBegun();
    if (begun !== undefined) return await finish({ ...begun.context, signal: context.signal }, begun.opening);
    const { context: own, address, password } = await place();
    return await finish(own, await openingWith(own, { address, keyHint, asOf }, password));
  });
}

function accessBy(context: Context, asOf: bigint | undefined, open: RepositoryAccess['open']): RepositoryAccess {
  const { noLock, retryLock } = context.globals;
  const { name, uid, gid } = currentUser();
  return {
    open,
    holder: { hostname: hostName(), username: name, pid: process.pid, uid, gid },
    // What is past changes no more, and can't be locked.
    locking: noLock || asOf !== undefined ? 'none' : { retryMs: retryLock ?? 0 },
  };
}

/** A person may try a password three times. */
async function opened(context: Context, location: Location): Promise<Repository> {
  const reference = passwordReference(location, context);
  const at = { ...location, address: await repositoryAddress(location) };
  const openWith = async (secret: Secret): Promise<Repository> =>
    await finish(context, await openingWith(context, at, secret));
  if (reference !== undefined) return await openWith(await readSecret(reference, context.signal));
  for (let left = canAsk() ? 2 : 0; ; left -= 1) {
    const secret = await askSecret(`enter password for ${location.name}: `, context.signal);
    try {
      return await openWith(secret);
    } catch (error) {
      if (left === 0 || !hasCode(error, 'wrong-password')) throw error;
      context.console.complain(`${error.message}. Try again`, { message_type: 'error', message: error.message });
    }
  }
}

async function finish(context: Context, { storage, password, search, state }: Opening): Promise<Repository> {
  const { clock, console, listener } = context;
  const folder = state === 'present' ? cacheFolder(context) : undefined;
  const optional = folder === undefined ? {} : { cache: { folder, listener } };
  try {
    const opening = openRepository({ storage, clock, password: password.reveal(), search, ...optional });
    const repository = await orAborted(opening, context.signal); // nothing is locked yet
    const { id, version } = repository.config;
    if (console.terminal !== undefined)
      console.say(`repository ${id.slice(0, 8)} opened (version ${version}) at ${storage.url}`);
    return repository;
  } catch (error) {
    await storage[Symbol.asyncDispose]();
    throw error;
  }
}

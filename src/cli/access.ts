import { HoldfastError, hasCode } from '../errors/error.ts';
import { currentUser, hostName } from '../host/users.ts';
import type { JobContext, RepositoryAccess } from '../job/job.ts';
import { openRepository } from '../repository/open.ts';
import type { Repository } from '../repository/repository.ts';
import { readSecret, type Secret } from '../secret/secret.ts';
import { openStorage } from '../storage/open.ts';
import { RetryingStorage, retryPolicy } from '../storage/retry.ts';
import type { StorageSettings } from '../storage/settings.ts';
import type { Storage } from '../storage/storage.ts';
import { askSecret, canAsk } from './ask.ts';
import { cacheFolder } from './cache.ts';
import type { Context } from './context.ts';
import { ownLocation, passwordReference, repositoryAddress, type Location } from './location.ts';
import { storageSettings } from './storage-settings.ts';

/** What jobs need of a command's context. A command with a progress view gives its listener. */
export function jobContext(context: Context, listener = context.listener): JobContext {
  return {
    access: repositoryAccess(context, ownLocation(context)),
    clock: context.clock,
    signal: context.signal,
    listener,
  };
}

/** How the repository that is meant is opened. */
export function repositoryAccess(context: Context, location: Location): RepositoryAccess {
  const { noLock, retryLock } = context.globals;
  const { name, uid, gid } = currentUser();
  return {
    open: async () => await opened(context, location),
    holder: { hostname: hostName(), username: name, pid: process.pid, uid, gid },
    locking: noLock ? 'none' : { retryMs: retryLock ?? 0 },
  };
}

/** A person may try a password three times. */
async function opened(context: Context, location: Location): Promise<Repository> {
  const reference = passwordReference(location, context);
  const at = { address: await repositoryAddress(location), keyHint: location.keyHint };
  if (reference !== undefined) return await openWith(context, at, await readSecret(reference, context.signal));
  for (let left = canAsk() ? 2 : 0; ; left -= 1) {
    const secret = await askSecret(`enter password for ${location.name}: `, context.signal);
    try {
      return await openWith(context, at, secret);
    } catch (error) {
      if (left === 0 || !hasCode(error, 'wrong-password')) throw error;
      context.console.complain(`${error.message}. Try again`, { message_type: 'error', message: error.message });
    }
  }
}

async function openWith(
  context: Context,
  { address, keyHint }: { readonly address: string; readonly keyHint: string | undefined },
  password: Secret,
): Promise<Repository> {
  const { clock, console, listener } = context;
  const storage = await repositoryStorage(context, address);
  const folder = cacheFolder(context);
  const optional = {
    ...(keyHint === undefined ? {} : { keyHint }),
    ...(folder === undefined ? {} : { cache: { folder, listener } }),
  };
  try {
    const repository = await openRepository({ storage, clock, password: password.reveal(), ...optional });
    const { id, version } = repository.config;
    if (console.terminal !== undefined)
      console.say(`repository ${id.slice(0, 8)} opened (version ${version}) at ${storage.url}`);
    return repository;
  } catch (error) {
    await storage[Symbol.asyncDispose]();
    throw error;
  }
}

/** The storage at an address; its passing errors are tried again. */
export async function storageAt(
  context: Context,
  address: string,
  settings: Pick<StorageSettings, 'create'> = {},
): Promise<Storage> {
  const { clock, listener, globals } = context;
  const all = { ...storageSettings(context), ...settings };
  const policy = retryPolicy({ timeoutMs: globals.stuckRequestTimeout, limits: all.limits });
  return new RetryingStorage(await openStorage(address, all), { clock, listener, policy });
}

async function repositoryStorage(context: Context, address: string): Promise<Storage> {
  try {
    return await storageAt(context, address);
  } catch (cause) {
    if (!hasCode(cause, 'storage-missing')) throw cause;
    throw new HoldfastError('no-repository', `there is no repository: ${cause.message}`, { cause });
  }
}

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
import { passwordReference, repositoryAddress } from './location.ts';
import { storageSettings } from './storage-settings.ts';

/** What jobs need of a command's context. A command with a progress view gives its listener. */
export function jobContext(context: Context, listener = context.listener): JobContext {
  return { access: repositoryAccess(context), clock: context.clock, signal: context.signal, listener };
}

function repositoryAccess(context: Context): RepositoryAccess {
  const { noLock, retryLock } = context.globals;
  const { name, uid, gid } = currentUser();
  return {
    open: async () => await opened(context),
    holder: { hostname: hostName(), username: name, pid: process.pid, uid, gid },
    locking: noLock ? 'none' : { retryMs: retryLock ?? 0 },
  };
}

/** A person may try a password three times. */
async function opened(context: Context): Promise<Repository> {
  const reference = passwordReference(context);
  const address = await repositoryAddress(context);
  if (reference !== undefined) return await openWith(context, address, await readSecret(reference, context.signal));
  for (let left = canAsk() ? 2 : 0; ; left -= 1) {
    const secret = await askSecret('enter password for repository: ', context.signal);
    try {
      return await openWith(context, address, secret);
    } catch (error) {
      if (left === 0 || !hasCode(error, 'wrong-password')) throw error;
      context.console.complain(`${error.message}. Try again`, { message_type: 'error', message: error.message });
    }
  }
}

async function openWith(context: Context, address: string, password: Secret): Promise<Repository> {
  const { clock, globals, console, listener } = context;
  const storage = await repositoryStorage(context, address);
  const folder = cacheFolder(context);
  const optional = {
    ...(globals.keyHint === undefined ? {} : { keyHint: globals.keyHint }),
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

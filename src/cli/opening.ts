import { HoldfastError, hasCode } from '../errors/error.ts';
import { searchKey, type OpenedKey } from '../repository/keys.ts';
import { readSecret, type Secret } from '../secret/secret.ts';
import { openPatiently } from '../storage/opening.ts';
import { RetryingStorage, retryPolicy } from '../storage/retry.ts';
import type { StorageSettings } from '../storage/settings.ts';
import type { Storage } from '../storage/storage.ts';
import type { Context } from './context.ts';
import { ownLocation, passwordReference, repositoryAddress, type Location } from './location.ts';
import { storageSettings } from './storage-settings.ts';

/**
 * The first half of opening a repository: its storage, and the search for the key of a password. The derivation takes
 * half a second in a thread of its own, so it begins before the code of the command is loaded; this file needs little.
 */
export interface Opening {
  readonly storage: Storage;
  readonly password: Secret;
  readonly search: Promise<OpenedKey>;
  /** 'earlier': what is cached now says nothing of it. */
  readonly state: 'present' | 'earlier';
}

type Place = Pick<Location, 'keyHint' | 'asOf'> & { readonly address: string };

const begun = new WeakMap<Context, Promise<Opening | undefined>>();

/** Begins where nobody must be asked and nothing be run. Resolves once the derivation runs, or won't; never rejects. */
export async function beginOpening(context: Context): Promise<void> {
  const deriving = Promise.withResolvers<void>();
  const opening = openingGiven(context, deriving.resolve);
  begun.set(context, opening);
  // What is wrong is told by who takes the opening; a command that ends before has more to say.
  opening.then(async (given) => void (await given?.search)).then(deriving.resolve, deriving.resolve);
  // Whoever is interrupted learns it from who opens the repository.
  context.signal.addEventListener('abort', () => deriving.resolve(), { once: true });
  if (!context.signal.aborted) await deriving.promise;
}

/** What was begun, for one taker; undefined where that was nothing. */
export async function takeOpening(context: Context): Promise<Opening | undefined> {
  const opening = begun.get(context);
  begun.delete(context);
  return await opening;
}

export async function openingWith(
  context: Context,
  { address, keyHint = '', asOf }: Place,
  password: Secret,
  onDeriving: () => void = () => undefined,
): Promise<Opening> {
  const storage = await repositoryStorage(context, address, asOf);
  const search = searchKey(storage, password.reveal(), { hint: keyHint, onDeriving });
  search.catch(() => undefined); // heard by who opens the repository
  return { storage, password, search, state: asOf === undefined ? 'present' : 'earlier' };
}

async function openingGiven(context: Context, onDeriving: () => void): Promise<Opening | undefined> {
  const location = ownLocation(context);
  const reference = passwordReference(location, context);
  if (reference === undefined || reference.kind === 'command') return undefined;
  const at = { ...location, address: await repositoryAddress(location) };
  return await openingWith(context, at, await readSecret(reference, context.signal), onDeriving);
}

/** The storage at an address; its passing errors are tried again. */
export async function storageAt(
  context: Context,
  address: string,
  { asOf, ...settings }: Pick<StorageSettings, 'create'> & { readonly asOf?: bigint | undefined } = {},
): Promise<Storage> {
  const { clock, listener, globals } = context;
  const all = { ...storageSettings(context), ...settings, ...(asOf !== undefined && { asOf }) };
  const policy = retryPolicy({ timeoutMs: globals.stuckRequestTimeout, limits: all.limits });
  const patience = { signal: context.signal, patienceMs: globals.stuckRequestTimeout, clock, listener };
  return new RetryingStorage(await openPatiently(address, all, patience), { clock, listener, policy });
}

async function repositoryStorage(context: Context, address: string, asOf: bigint | undefined): Promise<Storage> {
  try {
    return await storageAt(context, address, { asOf });
  } catch (cause) {
    if (!hasCode(cause, 'storage-missing')) throw cause;
    throw new HoldfastError('no-repository', `there is no repository: ${cause.message}`, { cause });
  }
}

import type { FileId } from '../bytes/ids.ts';
import type { Clock } from '../clock/clock.ts';
import { fileIdFor } from '../crypto/id.ts';
import { calibrate, makeKeyFile, openKeyFile, parseKeyFile, type KeyFile, type ScryptParams } from '../crypto/key.ts';
import type { RepositoryKey } from '../crypto/seal.ts';
import { HoldfastError, hasCode } from '../errors/error.ts';
import { limiter } from '../flow/limiter.ts';
import type { Storage } from '../storage/storage.ts';
import { idOf, keyOf } from './layout.ts';
import type { NewKey, Password } from './passwords.ts';
import { readNamed } from './named-file.ts';

export interface OpenedKey {
  readonly id: FileId;
  readonly master: RepositoryKey;
}

/** restic tries no more. */
const maxKeysTried = 20;
const keysReadAtOnce = 8;
/** In the order of their names. */
async function listKeyFiles(storage: Storage): Promise<readonly FileId[]> {
  const found: FileId[] = [];
  for await (const { key } of storage.list('keys/')) {
    const id = idOf(key);
    if (id !== undefined) found.push(id);
  }
  return found.sort();
}

/** Every key file that can be read, and the others with what is wrong with them. */
export async function readKeys(
  storage: Storage,
): Promise<readonly { readonly id: FileId; readonly file: KeyFile | Error }[]> {
  const files = await listKeyFiles(storage);
  const limited = limiter(keysReadAtOnce);
  return Promise.all(files.map(async (id) => ({ id, file: await limited(() => readKey(storage, id)).catch(asError) })));
}

function asError(error: unknown): Error {
  if (error instanceof Error) return error;
  throw error;
}

async function readKey(storage: Storage, id: FileId): Promise<KeyFile> {
  return parseKeyFile(await readNamed(storage, 'keys', id));
}

/**
 * The first key that `password` opens; those whose ID starts with `hint` are tried first. 'wrong-password' when none
 * of at most twenty opens; what else went wrong with a key file is told only if no key opens. `onDeriving` is called
 * when the first derivation has begun, in a pool thread.
 */
export async function searchKey(
  storage: Storage,
  password: Password,
  { hint = '', onDeriving = () => undefined }: { readonly hint?: string; readonly onDeriving?: () => void } = {},
): Promise<OpenedKey> {
  const files = await listKeyFiles(storage);
  if (files.length === 0) throw new HoldfastError('damaged', `${storage.url} has no key files: nothing can open it`);
  const hinted = hint === '' ? [] : files.filter((id) => id.startsWith(hint));
  const failures: HoldfastError[] = [];
  for (const id of [...new Set([...hinted, ...files])].slice(0, maxKeysTried)) {
    const result = await tryKey(storage, id, { password, onDeriving });
    if (!(result instanceof HoldfastError)) return { id, master: result };
    failures.push(result);
  }
  throw noKeyOpens(failures, files.length);
}

export async function openKey(storage: Storage, id: FileId, password: Password): Promise<RepositoryKey> {
  return openKeyFile(await readKey(storage, id), password);
}

async function tryKey(
  storage: Storage,
  id: FileId,
  { password, onDeriving }: { readonly password: Password; readonly onDeriving: () => void },
): Promise<RepositoryKey | HoldfastError> {
  try {
    const opening = openKeyFile(await readKey(storage, id), password);
    onDeriving();
    return await opening;
  } catch (error) {
    if (hasCode(error, 'wrong-password', 'damaged', 'unsupported', 'refused', 'storage-not-found')) return error;
    throw error;
  }
}

function noKeyOpens(failures: readonly HoldfastError[], total: number): HoldfastError {
  const other = failures.find(({ code }) => code !== 'wrong-password');
  if (other !== undefined && failures.every(({ code }) => code !== 'wrong-password')) return other;
  const tried =
    failures.length < total
      ? `the first ${failures.length} of ${total} keys`
      : total === 1
        ? 'the key'
        : `any of the ${total} keys`;
  const unread = other === undefined ? '' : `, and not all could be read: ${other.message}`;
  return new HoldfastError('wrong-password', `the password does not open ${tried}${unread}`, { cause: other });
}

const measured = new WeakMap<Clock, Promise<ScryptParams>>();

/** Repositories that one process makes get keys of one cost: this machine is measured once. */
async function bearable(clock: Clock): Promise<ScryptParams> {
  const params = measured.get(clock) ?? calibrate(clock);
  measured.set(clock, params);
  return await params;
}

/** Writes a key file that opens `master`; resolves when it is durable. */
export async function writeKey(storage: Storage, clock: Clock, master: RepositoryKey, wanted: NewKey): Promise<FileId> {
  const { password, hostname, username } = wanted;
  const params = wanted.kdf ?? (await bearable(clock));
  const created = Temporal.Instant.fromEpochNanoseconds(clock.nowNs()).toString();
  const bytes = await makeKeyFile({ password, params, master, created, username, hostname });
  const id = fileIdFor(bytes);
  await storage.put(keyOf('keys', id), [bytes]);
  return id;
}

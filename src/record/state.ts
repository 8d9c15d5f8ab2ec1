import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, readdir, rename, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseFields } from '../bytes/fields.ts';
import { newSignerPem, signerFromPem } from '../crypto/signature.ts';
import { hasCode, HoldfastError } from '../errors/error.ts';
import { errorCode } from '../host/system-error.ts';
import { factFields, factsOf } from './form.ts';
import type { RecordFacts, Writer } from './record.ts';

/**
 * What this host keeps for itself, readable by its user alone: `signing-key.pem`, `writer`, `pinned-signers/` with
 * the first key that was seen of each other writer, and `outbox/` with facts that no repository could be told yet. A file is there whole or not at all.
 */
export interface RecordState {
  readonly folder: string;
}

/** Who writes on this host; made when it is asked for the first time. */
export async function writerOf({ folder }: RecordState, hostname: string): Promise<Writer> {
  const host = hostname.replaceAll(/[^A-Za-z0-9.-]/g, '-').slice(0, 60) || 'host';
  const pem = await ensure(join(folder, 'signing-key.pem'), newSignerPem);
  const id = await ensure(join(folder, 'writer'), () => `${host}-${randomBytes(4).toHex()}\n`);
  return { id: id.trim(), signer: signerFromPem(pem) };
}

/** What was remembered under a name; undefined where nothing was. */
export async function rememberedIn({ folder }: RecordState, name: string): Promise<Uint8Array | undefined> {
  const path = join(folder, name);
  try {
    return await readFile(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw unusable(path, error);
  }
}

export async function rememberIn({ folder }: RecordState, name: string, text: string): Promise<void> {
  const path = join(folder, name);
  try {
    await write(path, text, 'replace');
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    throw unusable(path, error);
  }
}

/** What stands in a file, which is made when it isn't there; of two who make it at once the first counts. */
export async function ensure(path: string, make: () => string): Promise<string> {
  for (;;) {
    try {
      return await readFile(path, 'utf8');
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw unusable(path, error);
    }
    await write(path, make(), 'unless-there').catch((error: unknown) => {
      throw errorCode(error) === undefined ? error : unusable(path, error);
    });
  }
}

/** Forced to disk before it has its name. Of two that make one at once the first counts. */
async function write(path: string, text: string, mode: 'replace' | 'unless-there'): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomBytes(6).toHex()}.tmp`;
  await using file = await open(draft, 'wx', 0o600);
  await file.writeFile(text);
  await file.sync();
  if (mode === 'replace') return await rename(draft, path);
  await link(draft, path).catch((error: unknown) => {
    if (errorCode(error) !== 'EEXIST') throw error;
  });
  await unlink(draft);
}

/** More than a year of facts a minute apart are never held back: a host that can't reach anything says so. */
const mostWaiting = 10_000;

/** Keeps a fact until a repository can be told. */
export async function keepWaiting(state: RecordState, facts: RecordFacts): Promise<void> {
  const names = await namesWaiting(state);
  if (names.length >= mostWaiting)
    throw new HoldfastError(
      'refused',
      `${mostWaiting} records wait in ${state.folder} for a repository that can be reached`,
    );
  const name = `${String(facts.timeNs).padStart(20, '0')}-${randomBytes(6).toHex()}.json`;
  await write(join(state.folder, 'outbox', name), JSON.stringify(factFields(facts)), 'replace');
}

async function namesWaiting({ folder }: RecordState): Promise<readonly string[]> {
  try {
    return (await readdir(join(folder, 'outbox'))).filter((name) => name.endsWith('.json')).toSorted();
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw unusable(folder, error);
  }
}

export interface Waiting {
  readonly facts: RecordFacts;
  /** It was told: forgets it here. */
  readonly done: () => Promise<void>;
}

/** What waits for a component, oldest first. */
export async function waitingFor(state: RecordState, component: string): Promise<readonly Waiting[]> {
  const waiting: Waiting[] = [];
  for (const name of await namesWaiting(state)) {
    const path = join(state.folder, 'outbox', name);
    const facts = await factsIn(path);
    if (facts?.component === component) waiting.push({ facts, done: async () => await forget(path) });
  }
  return waiting;
}

/** What waits and makes no sense here: it is passed over, and stays where it is. */
export async function unreadableWaiting(state: RecordState): Promise<readonly HoldfastError[]> {
  const paths = (await namesWaiting(state)).map((name) => join(state.folder, 'outbox', name));
  const found = await Promise.all(paths.map(factsOrError));
  return found.filter((one) => one instanceof HoldfastError);
}

/** Undefined where another process has told it meanwhile, or nobody can. */
async function factsIn(path: string): Promise<RecordFacts | undefined> {
  const found = await factsOrError(path);
  return found instanceof HoldfastError ? undefined : found;
}

async function factsOrError(path: string): Promise<RecordFacts | HoldfastError | undefined> {
  try {
    return factsOf(parseFields(await readFile(path), path), path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    if (hasCode(error, 'damaged', 'unsupported')) return error;
    throw error instanceof HoldfastError ? error : unusable(path, error);
  }
}

async function forget(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw unusable(path, error);
  }
}

export function unusable(path: string, cause: unknown): HoldfastError {
  return new HoldfastError('refused', `the state in ${path} can’t be used: ${String(errorCode(cause))}`, { cause });
}

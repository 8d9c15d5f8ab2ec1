import { randomBytes } from 'node:crypto';
import { readFile, readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { parseFields } from '../bytes/fields.ts';
import { hasCode, HoldfastError } from '../errors/error.ts';
import { errorCode } from '../host/system-error.ts';
import { factFields, factsOf } from './form.ts';
import type { RecordFacts } from './record.ts';
import { rememberIn, unusable, type RecordState } from './state.ts';

/**
 * Facts that no repository could be told yet, a file each: `outbox/<time>-<random>.<component>.json`, so that names
 * alone tell what waits for a component, and in which order. They are read one by one.
 */
const folder = 'outbox';

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
  const name = `${String(facts.timeNs).padStart(20, '0')}-${randomBytes(6).toHex()}.${facts.component}.json`;
  await rememberIn(state, join(folder, name), JSON.stringify(factFields(facts)));
}

/** Whether anything may wait for a component. */
export async function isWaiting(state: RecordState, component: string): Promise<boolean> {
  return (await namesWaiting(state)).some((name) => mayBeOf(name, component));
}

export interface Waiting {
  readonly facts: RecordFacts;
  /** It was told: forgets it here. */
  readonly done: () => Promise<void>;
}

/** What waits for a component, oldest first, each as it is asked for. */
export async function* waitingFor(state: RecordState, component: string): AsyncGenerator<Waiting, void, undefined> {
  for (const name of await namesWaiting(state)) {
    if (!mayBeOf(name, component)) continue;
    const path = join(state.folder, folder, name);
    const facts = await factsOrError(path);
    // Another process has told it meanwhile, or nobody can.
    if (facts === undefined || facts instanceof HoldfastError || facts.component !== component) continue;
    yield { facts, done: async () => await forget(path) };
  }
}

/** What waits and makes no sense here: it is passed over, and stays where it is. */
export async function unreadableWaiting(state: RecordState): Promise<readonly HoldfastError[]> {
  const unreadable: HoldfastError[] = [];
  for (const name of await namesWaiting(state)) {
    const found = await factsOrError(join(state.folder, folder, name));
    if (found instanceof HoldfastError) unreadable.push(found);
  }
  return unreadable;
}

async function namesWaiting(state: RecordState): Promise<readonly string[]> {
  try {
    return (await readdir(join(state.folder, folder))).filter((name) => name.endsWith('.json')).toSorted();
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw unusable(state.folder, error);
  }
}

/** Names of before, without a component, say nothing of whose they are. */
function mayBeOf(name: string, component: string): boolean {
  const [, named] = name.slice(0, -'.json'.length).split('.');
  return named === undefined || named === component;
}

/** Undefined where it is not there any more. */
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

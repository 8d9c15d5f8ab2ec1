import { HoldfastError } from '../errors/error.ts';
import { placesOf, type Policy } from '../policy/policy.ts';
import { secretsOf } from '../policy/secrets.ts';
import type { Context } from './context.ts';
import { openingWith, type Opening } from './opening.ts';
import { beginPolicyFile } from './policy-file.ts';
import { placeOf } from './policy-place.ts';

/** As `opening.ts`, of a repository of a policy: its key is derived while the code of the command is loaded. */
export interface Begun {
  /** With what the policy names for the repository. */
  readonly context: Context;
  readonly opening: Opening;
}

const begun = new WeakMap<Policy, Map<string, Promise<Begun>>>();

/** A repository that is far is on its way meanwhile: the code isn't kept waiting for it. */
const longestMs = 500;

/**
 * Begins with the first repository of each component that a command line names, where nobody must be asked and nothing be
 * run. What the command refuses by the policy, as a name that it doesn't have, nothing is begun for. Resolves once the derivations run, or soon after; never rejects for what whoever opens them is told anyway.
 */
export async function beginComponents(context: Context, words: readonly string[]): Promise<void> {
  const policy = await policyThere(context);
  if (policy === undefined) return;
  const opened = new AbortController();
  const deriving = firstPlaces(policy, words, context).map(async (name) => await begin(context, policy, name));
  const late = context.clock.sleep(longestMs, opened.signal).catch(() => undefined); // all are there
  await Promise.race([Promise.all(deriving), late]);
  opened.abort();
}

/** What was begun, for one taker. */
export async function takeBegun(policy: Policy, name: string): Promise<Begun | undefined> {
  const openings = begun.get(policy);
  const opening = openings?.get(name);
  openings?.delete(name);
  return await opening;
}

/** Undefined where it is refused or can't be read: that is told by the command. */
async function policyThere(context: Context): Promise<Policy | undefined> {
  try {
    return (await beginPolicyFile(context)).policy;
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    return undefined;
  }
}

function firstPlaces(policy: Policy, words: readonly string[], { given }: Pick<Context, 'given'>): readonly string[] {
  const isRefused = given('all').origin !== 'none' || words.some((word) => !Object.hasOwn(policy.components, word));
  if (isRefused) return [];
  const rule = given('rule').texts.at(-1);
  const asking = secretsOf(policy).flatMap(({ path, secret }) => (secret.command === undefined ? [] : path[1]));
  const names = words.flatMap((word) =>
    Object.entries(policy.components[word]?.backups ?? {}).flatMap(([name, one]) =>
      rule === undefined || name === rule ? placesOf(one).slice(0, 1) : [],
    ),
  );
  return [...new Set(names)].filter((name) => policy.repositories[name] !== undefined && !asking.includes(name));
}

/** Resolves once its derivation runs, or won't. */
async function begin(context: Context, policy: Policy, name: string): Promise<void> {
  const deriving = Promise.withResolvers<void>();
  const opening = openingOf(context, policy, name, deriving.resolve);
  begun.getOrInsertComputed(policy, () => new Map<string, Promise<Begun>>()).set(name, opening);
  // What is wrong is told by who takes it.
  opening.then(async (given) => void (await given.opening.search)).then(deriving.resolve, deriving.resolve);
  await deriving.promise;
}

async function openingOf(context: Context, policy: Policy, name: string, onDeriving: () => void): Promise<Begun> {
  const { keyHint, asOf } = context.globals;
  const { address, context: own, password } = await placeOf(context, policy, name);
  return { context: own, opening: await openingWith(own, { address, keyHint, asOf }, password, onDeriving) };
}

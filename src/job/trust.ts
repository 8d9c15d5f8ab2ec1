import { hasCode } from '../errors/error.ts';
import { pinSigner, readPins, type Pins } from '../record/pins.ts';
import type { ChainVerdict } from '../record/verdict.ts';
import type { ComponentContext } from './component.ts';
import { warn } from './record-keepers.ts';

type Context = Pick<ComponentContext, 'policy' | 'stateFolder' | 'listener'>;

/** Whose signatures under a writer's records are believed; undefined: nobody knows. */
export type SignersOf = (writer: string) => readonly string[] | undefined;

/** Those that the policy names, else the first key that this host has seen of the writer, else nobody. */
export async function believedSigners(context: Context): Promise<SignersOf> {
  const { signers } = context.policy;
  if (signers !== undefined) return () => signers;
  const pins = await pinsOn(context);
  return (writer) => {
    const pinned = pins.get(writer);
    return pinned === undefined ? undefined : [pinned];
  };
}

async function pinsOn(context: Context): Promise<Pins> {
  try {
    return await readPins({ folder: context.stateFolder });
  } catch (error) {
    if (!hasCode(error, 'refused', 'damaged')) throw error;
    warn(context, 'signers', `the keys that are pinned on this host can’t be read: ${error.message}`);
    return new Map();
  }
}

/**
 * Pins the keys of writers that are seen for the first time. Of those the verdict stays that nobody knows whose they are:
 * a person can compare the key now, and whoever comes with another one later is found.
 */
export async function pinFirstSeen<T extends ChainVerdict>(
  context: Context,
  chains: readonly T[],
  signersOf: SignersOf,
): Promise<readonly T[]> {
  const unpinned = chains.filter(
    ({ writer, verdict }) => verdict.state === 'unknown' && signersOf(writer) === undefined,
  );
  const reasons = new Map<string, string>();
  for (const [writer, own] of Map.groupBy(unpinned, (chain) => chain.writer)) {
    const keys = new Set(own.flatMap(({ firstSigner }) => firstSigner ?? []));
    reasons.set(writer, await pinned(context, writer, [...keys]));
  }
  return chains.map((chain) => {
    const reason = unpinned.includes(chain) ? reasons.get(chain.writer) : undefined;
    return reason === undefined ? chain : { ...chain, verdict: { state: 'unknown', reason } };
  });
}

async function pinned(context: Context, writer: string, keys: readonly string[]): Promise<string> {
  const [key, ...others] = keys;
  if (key === undefined || others.length > 0)
    return `its signer is unknown: chains of this writer begin with different keys, ${keys.join(', ')}`;
  try {
    const pin = await pinSigner({ folder: context.stateFolder }, writer, key);
    if (pin === key)
      return `the chain is intact; its signer is seen for the first time, and pinned from now on: ${key}`;
  } catch (error) {
    if (!hasCode(error, 'refused')) throw error;
    warn(context, writer, `its key can’t be pinned on this host: ${error.message}`);
  }
  return `the chain is intact; its signer is unknown: ${key}`;
}

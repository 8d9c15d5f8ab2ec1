import { hash } from 'node:crypto';
import { fieldsOf, parseFields, textOf } from '../bytes/fields.ts';
import { HoldfastError } from '../errors/error.ts';
import { changedPaths, fingerprintOf, hashOfFingerprint, type Fingerprint } from '../policy/fingerprint.ts';
import { wholeRepository } from '../record/record.ts';
import { rememberedIn, rememberIn } from '../record/state.ts';
import type { ComponentContext } from './component.ts';

/** A policy may name thousands of values: the hash tells of the rest. */
const mostPaths = 500;

/**
 * Records that this host works by another policy than the last time: its hash, and the paths of what changed, without
 * any value. Once: what was recorded last is remembered on this host, for each policy file. A kill between the two has
 * it recorded again.
 */
export async function recordConfiguration(context: ComponentContext, file: string): Promise<void> {
  const { policy, stateFolder, recording, listener } = context;
  const after = fingerprintOf(policy);
  const state = { folder: stateFolder };
  const name = `policies/${hash('sha256', file).slice(0, 16)}.json`;
  const before = parsed(await rememberedIn(state, name), name);
  const changed = changedPaths(before ?? new Map(), after);
  if (before !== undefined && changed.length === 0) return await recording?.settle(wholeRepository);
  const what = before === undefined ? { first: true } : { paths: changed.slice(0, mostPaths), changed: changed.length };
  const data = { outcome: 'done', file, policy: hashOfFingerprint(after), ...what };
  await recording?.record({ kind: 'configuration', component: wholeRepository, data });
  try {
    await rememberIn(state, name, JSON.stringify({ version: 1, values: Object.fromEntries(after) }));
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    listener({ kind: 'warning', during: 'record', item: file, message: error.message });
  }
}

/** What makes no sense says nothing of what was recorded. */
function parsed(bytes: Uint8Array | undefined, name: string): Fingerprint | undefined {
  if (bytes === undefined) return undefined;
  try {
    const values = Object.entries(fieldsOf(parseFields(bytes, name)['values'], name));
    return new Map(values.map(([path, value]) => [path, textOf(value, name)]));
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    return undefined;
  }
}

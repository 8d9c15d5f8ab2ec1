import { hash } from 'node:crypto';
import { canonicalJson } from '../bytes/canonical-json.ts';
import type { Policy } from './policy.ts';

/** Each value of a policy by its path (`components.shop-db.tier`), as a hash: enough to tell what changed, and no value. */
export type Fingerprint = ReadonlyMap<string, string>;

export function fingerprintOf(policy: Policy): Fingerprint {
  return new Map(leaves(policy, ''));
}

/** Of the whole: the same policy has the same, however its file is written. */
export function hashOfFingerprint(fingerprint: Fingerprint): string {
  return sha256([...fingerprint].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** The paths of what was added, removed or changed, sorted. */
export function changedPaths(before: Fingerprint, after: Fingerprint): readonly string[] {
  const paths = new Set([...before.keys(), ...after.keys()]);
  return [...paths].filter((path) => before.get(path) !== after.get(path)).toSorted();
}

/** A list changes as a whole. */
function* leaves(value: unknown, path: string): Generator<readonly [string, string]> {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || isSpan(value)) {
    if (value !== undefined) yield [path, sha256(value)];
    return;
  }
  for (const [key, member] of Object.entries(value)) yield* leaves(member, path === '' ? key : `${path}.${key}`);
}

/** What the file says as one text: `15m`. */
function isSpan(value: object): boolean {
  return 'text' in value && 'ms' in value;
}

function sha256(value: unknown): string {
  return hash('sha256', canonicalJson(value));
}

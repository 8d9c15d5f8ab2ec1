import type { Path, Place } from '../path.ts';

/**
 * A value of the policy file that knows where it stands. Defaults, templates and components are merged as such values,
 * so that every value of the effective policy can be shown with its place.
 */
export interface Located {
  readonly value: LocatedValue;
  readonly place: Place;
}

export type LocatedValue = Scalar | readonly Located[] | ReadonlyMap<string, Member>;

export type Scalar = string | number | boolean | null;

/** One key of a mapping; its own place is that of the key. */
export interface Member {
  readonly keyPlace: Place;
  readonly located: Located;
}

export function isMapping(value: LocatedValue): value is ReadonlyMap<string, Member> {
  return value instanceof Map;
}

export function isSequence(value: LocatedValue): value is readonly Located[] {
  return Array.isArray(value);
}

/** The value alone, as JSON has it. */
export function plain({ value }: Located): unknown {
  if (isMapping(value)) return Object.fromEntries(value.entries().map(([key, { located }]) => [key, plain(located)]));
  return isSequence(value) ? value.map(plain) : value;
}

export function memberOf({ value }: Located, key: string): Located | undefined {
  return isMapping(value) ? value.get(key)?.located : undefined;
}

/** Where a path stands, or the nearest above it that does. `keyOf` asks for the place of a key instead of its value. */
export function placeAt(root: Located, path: Path, keyOf?: string): Place {
  let at = root;
  for (const step of path) {
    const next = isMapping(at.value)
      ? at.value.get(String(step))?.located
      : isSequence(at.value)
        ? at.value[Number(step)]
        : undefined;
    if (next === undefined) return at.place;
    at = next;
  }
  if (keyOf === undefined || !isMapping(at.value)) return at.place;
  return at.value.get(keyOf)?.keyPlace ?? at.place;
}

/** `over` on top of `under`: mappings are joined key by key, anything else is replaced as a whole. */
export function merged(under: Located, over: Located): Located {
  if (!isMapping(under.value) || !isMapping(over.value)) return over;
  const joined = new Map(under.value);
  for (const [key, member] of over.value) {
    const below = joined.get(key);
    joined.set(key, below === undefined ? member : { ...member, located: merged(below.located, member.located) });
  }
  return { value: joined, place: over.place };
}

import { localZone } from '../clock/zone.ts';
import type { DatedSnapshot, KeepPolicy } from '../retention/keep.ts';
import { applyPolicy } from '../retention/policy.ts';

/** Of what is there and not present, what retention would keep were all of it present. */
export function lacking<S extends DatedSnapshot>(
  there: readonly S[],
  present: readonly S[],
  keep: KeepPolicy,
  { nowNs, idOf }: { readonly nowNs: bigint; readonly idOf: (one: S) => string },
): readonly S[] {
  const known = new Set(present.map(idOf));
  const candidates = there.filter((one) => !known.has(idOf(one)));
  const kept = new Set(applyPolicy([...present, ...candidates], keep, { nowNs, zone: localZone() }).keep);
  return candidates.filter((one) => kept.has(one));
}

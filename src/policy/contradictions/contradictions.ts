import { placeAt, type Located } from '../document/located.ts';
import type { Path } from '../path.ts';
import type { Policy } from '../policy.ts';
import type { Problem } from '../problem.ts';
import { copiesTooFew } from './copies.ts';
import { keptShorterThanLocked } from './locks.ts';
import { namesUnknown } from './names.ts';
import { logsNowhere, mixedPlaces, sameAddress } from './places.ts';
import { proofTooRare, verifiedInVain } from './proof.ts';
import { intervalAboveRpo } from './rpo.ts';
import { windowsAndBases } from './windows.ts';

/** Something that can't be true together, by the file alone. */
export interface Contradiction {
  readonly path: Path;
  /** The key at the path is meant, not its value. */
  readonly key?: string;
  readonly message: string;
  readonly severity?: 'error' | 'warning';
  readonly nearest?: string | undefined;
}

type Rule = (policy: Policy) => readonly Contradiction[];

const rules: readonly Rule[] = [
  sameAddress,
  mixedPlaces,
  intervalAboveRpo,
  copiesTooFew,
  proofTooRare,
  verifiedInVain,
  logsNowhere,
  keptShorterThanLocked,
  windowsAndBases,
];

/** What the file says that can't hold. Where a name means nothing, the rest would only repeat it. */
export function contradictions(policy: Policy, root: Located): readonly Problem[] {
  const unknown = namesUnknown(policy);
  const found = unknown.length > 0 ? unknown : rules.flatMap((rule) => rule(policy));
  return found.map(({ path, key, message, nearest, severity = 'error' }) => ({
    severity: severity === 'warning' && policy.strict ? 'error' : severity,
    place: placeAt(root, path, key),
    message,
    nearest,
  }));
}

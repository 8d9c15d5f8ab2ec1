import { objectiveOf, placesOf, type Component, type Policy, type Verification } from '../policy.ts';
import { longestGapMs } from '../schedule.ts';
import { isArchived } from '../kinds-of-repositories.ts';
import { spanText } from '../span.ts';
import type { Contradiction } from './contradictions.ts';

/** A proof that is wanted younger than any verification makes it. */
export function proofTooRare(policy: Policy): readonly Contradiction[] {
  return Object.entries(policy.components).flatMap(([name, component]) => {
    const objective = objectiveOf(policy, component);
    const restores = component.verify.filter((one) => one.do === 'restore');
    const of = { 'proof': restores, 'proof-each': restores.filter(({ from }) => provesEach(from, component)) } as const;
    return (['proof', 'proof-each'] as const).flatMap((what) => {
      const wanted = objective[what];
      const gapMs = Math.min(...of[what].map(({ when }) => longestGapMs(when)));
      if (wanted === undefined || gapMs <= wanted.ms) return [];
      const said = Number.isFinite(gapMs) ? `restores are verified only every ${spanText(gapMs)}` : missing(what);
      const message = `the tier ${String(component.tier)} wants ${what}: ${wanted.text}, and ${said}`;
      // Nobody is misled by a proof of some copy; that each is proven is said apart, and shown as unproven.
      const severity = what === 'proof' ? 'error' : 'warning';
      return [{ path: ['components', name], key: name, message, severity }];
    });
  });
}

/** All copies in turn, or the only place that there is. */
function provesEach(from: string, { backups }: Component): boolean {
  const places = new Set(Object.values(backups).flatMap(placesOf));
  return from === 'each' || places.size === 1;
}

function missing(what: 'proof' | 'proof-each'): string {
  return what === 'proof' ? 'no verification restores it' : 'no verification restores it `from: each`';
}

/** Verifications of copies that aren't there, or that must be thawed first. */
export function verifiedInVain(policy: Policy): readonly Contradiction[] {
  return Object.entries(policy.components).flatMap(([name, component]) =>
    component.verify.flatMap((verification, index) => {
      const message = inVain(policy, component, verification);
      return message === undefined ? [] : [{ path: ['components', name, 'verify', index, 'from'], message }];
    }),
  );
}

function inVain(policy: Policy, component: Component, { from, do: how }: Verification): string | undefined {
  const places = Object.values(component.backups).flatMap(placesOf);
  if (places.length === 0) return 'there is no backup to verify';
  if (from === 'nearest' || from === 'each') return undefined;
  if (!places.includes(from)) return `no rule of this component brings anything to ${from}`;
  const { [from]: repository } = policy.repositories;
  const reads = how !== 'structure' && repository !== undefined && isArchived(repository);
  return reads ? `${from} is archived: its data would have to be thawed for every verification` : undefined;
}

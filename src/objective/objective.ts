import type { Component, Objective, Policy } from '../policy/policy.ts';
import { objectiveOf, placeNamed } from '../policy/policy.ts';
import { spanText } from '../policy/span.ts';
import type { RecoverablePoint } from '../point/point.ts';

/**
 * Holds what was observed of a component against what is wanted of it. Pure: the same facts at the same moment give the
 * same answer. RPO and RTO are measured, never declared: the age of the newest recoverable point, and how long the last
 * restore took. What was not observed is 'unknown', never 'met'.
 */
export interface Facts {
  /** Oldest first. */
  readonly points: readonly RecoverablePoint[];
  /** Repositories of the component whose points are not known. */
  readonly unknown: readonly string[];
  /** How long the newest verified restore took in all, seconds. */
  readonly restoreSeconds: number | undefined;
}

export type State = 'met' | 'at risk' | 'broken' | 'unknown';

export interface Judged {
  readonly objective: keyof Objective;
  readonly state: State;
  readonly wanted: string;
  readonly reached: string;
}

/** Each objective that the component's tier names. */
export function judge(policy: Policy, name: string, facts: Facts, nowNs: bigint): readonly Judged[] {
  const { [name]: component } = policy.components;
  if (component === undefined) return [];
  const wanted = objectiveOf(policy, component);
  const asked = { policy, component, wanted, facts, nowMs: Number(nowNs / 1_000_000n) };
  return [rpo(asked), rto(asked), ...copies(asked), ...proofs(asked)].filter((one) => one !== undefined);
}

interface Asked {
  readonly policy: Policy;
  readonly component: Component;
  readonly wanted: Objective;
  readonly facts: Facts;
  readonly nowMs: number;
}

function rpo({ wanted, facts, nowMs }: Asked): Judged | undefined {
  if (wanted.rpo === undefined) return undefined;
  const newest = facts.points.at(-1);
  const base = { objective: 'rpo', wanted: wanted.rpo.text } as const;
  if (newest === undefined) return { ...base, ...absent(facts, 'nothing can be brought back') };
  const ageMs = nowMs - Number(newest.timeNs / 1_000_000n);
  const reached = roughly(ageMs);
  if (ageMs <= wanted.rpo.ms) return { ...base, reached, state: ageMs > wanted.rpo.ms * 0.9 ? 'at risk' : 'met' };
  return { ...base, ...absent(facts, `${reached} would be lost`) };
}

/** What a repository that can't be asked might hold nobody knows. */
function absent({ unknown }: Facts, reached: string): Pick<Judged, 'state' | 'reached'> {
  if (unknown.length === 0) return { state: 'broken', reached };
  return { state: 'unknown', reached: `${reached}, as far as is known: ${unknown.join(', ')} can’t be asked` };
}

function rto({ wanted, facts: { restoreSeconds } }: Asked): Judged | undefined {
  if (wanted.rto === undefined) return undefined;
  const base = { objective: 'rto', wanted: wanted.rto.text } as const;
  if (restoreSeconds === undefined) return { ...base, state: 'unknown', reached: 'no restore was measured' };
  const ms = restoreSeconds * 1000;
  const state = ms > wanted.rto.ms ? 'broken' : ms > wanted.rto.ms * 0.8 ? 'at risk' : 'met';
  return { ...base, state, reached: roughly(ms) };
}

const counted = ['copies', 'media', 'offsite', 'immutable'] as const;

/** Of the newest point. Where it lacks one, and an older one within the RPO has it, the copy is only on its way. */
function copies(asked: Asked): readonly (Judged | undefined)[] {
  const { wanted, facts, nowMs } = asked;
  const graceMs = wanted.rpo?.ms ?? 86_400_000;
  const recent = facts.points.filter(({ timeNs }) => nowMs - Number(timeNs / 1_000_000n) <= graceMs);
  const newest = facts.points.at(-1);
  return counted.map((objective) => {
    const least = wanted[objective];
    if (least === undefined) return undefined;
    const base = { objective, wanted: String(least) } as const;
    if (newest === undefined) return { ...base, ...absent(facts, '0') };
    const reached = countOf(objective, newest, asked);
    // That a policy asks for a lock says nothing of the locks that are there.
    if (objective === 'immutable' && reached >= least)
      return { ...base, state: 'unknown', reached: `${reached} by the policy; \`check --locks\` reads what is locked` };
    if (reached >= least) return { ...base, state: 'met', reached: String(reached) };
    const isOnItsWay = recent.some((point) => countOf(objective, point, asked) >= least);
    if (isOnItsWay) return { ...base, state: 'at risk', reached: `${reached}, an older point has ${least}` };
    return { ...base, ...absent(facts, String(reached)) };
  });
}

function countOf(what: (typeof counted)[number], point: RecoverablePoint, { policy, component }: Asked): number {
  const places = point.copies.flatMap(({ repository }) => placeNamed(policy, component, repository) ?? []);
  const site = component.site ?? policy.site;
  switch (what) {
    case 'copies':
      return 1 + places.length;
    case 'media':
      return new Set(['disk', ...places.map(({ media }) => media)]).size;
    case 'offsite': {
      const sites = places.flatMap((place) => place.site ?? []);
      return site === undefined ? Math.max(0, new Set(sites).size - 1) : sites.filter((one) => one !== site).length;
    }
    case 'immutable':
      return places.filter(({ lock }) => lock !== undefined).length;
  }
}

/** How old the newest restore is that was verified: of any copy, or of the copy that has waited longest. */
function proofs({ wanted, facts, nowMs, component }: Asked): readonly (Judged | undefined)[] {
  const ages = new Map<string, number>();
  const failed = new Set<string>();
  for (const { repository, proof } of facts.points.flatMap((point) => point.copies)) {
    if (proof.state === 'stored' || proof.level !== 'restore') continue;
    failed[proof.state === 'failed' ? 'add' : 'delete'](repository);
    if (proof.state === 'failed') continue;
    const ageMs = nowMs - Number(proof.timeNs / 1_000_000n);
    ages.set(repository, Math.min(ages.get(repository) ?? Infinity, ageMs));
  }
  const places = [...new Set(Object.values(component.backups).flatMap(({ to }) => Object.keys(to)))];
  const youngest = Math.min(Infinity, ...ages.values());
  const asked = places.filter((place) => !facts.unknown.includes(place));
  const oldest = Math.max(0, ...asked.map((place) => ages.get(place) ?? Infinity));
  const each = proven('proof-each', wanted['proof-each'], oldest, failed);
  // What is proven of those that can be asked says nothing of the others.
  const isHalf = each?.state !== 'broken' && facts.unknown.length > 0;
  return [
    proven('proof', wanted.proof, youngest, failed),
    isHalf ? each && { ...each, ...absent(facts, each.reached) } : each,
  ];
}

function proven(
  objective: 'proof' | 'proof-each',
  wanted: Objective['proof'],
  ageMs: number,
  failed: ReadonlySet<string>,
): Judged | undefined {
  if (wanted === undefined) return undefined;
  const bad = failed.size === 0 ? '' : `, and the copy in ${[...failed].join(', ')} FAILED`;
  const base = { objective, wanted: wanted.text } as const;
  if (ageMs === Infinity) return { ...base, state: 'broken', reached: `never proven${bad}` };
  const state = ageMs > wanted.ms || bad !== '' ? 'broken' : ageMs > wanted.ms * 0.9 ? 'at risk' : 'met';
  return { ...base, state, reached: `${roughly(ageMs)} ago${bad}` };
}

/** In the largest unit that leaves two digits. */
function roughly(ms: number): string {
  const unit = ms >= 172_800_000 ? 86_400_000 : ms >= 7_200_000 ? 3_600_000 : ms >= 120_000 ? 60_000 : 1000;
  return spanText(Math.round(ms / unit) * unit);
}

import type { Component, Objective, Policy } from '../policy/policy.ts';
import { objectiveOf, placeNamed } from '../policy/policy.ts';
import { longestGapMs } from '../policy/schedule.ts';
import { roughText } from '../policy/span.ts';
import type { RecoverablePoint } from '../point/point.ts';
import type { Forecast } from './forecast.ts';
import { immutabilityOf, lockText, type LockState, type NamedLock } from './immutable.ts';

/**
 * Holds what was observed of a component against what is wanted of it. Pure: the same facts at the same moment give the
 * same answer. RPO and RTO are measured, never declared: the age of the newest recoverable point, and how long the last
 * restore took; what a restore now would take is a forecast, and called so. What was not observed is 'unknown', never 'met'.
 */
export interface Facts {
  /** Oldest first. */
  readonly points: readonly RecoverablePoint[];
  /** Whether a point is of what the component was turned back from: what it brings back is not what goes on. */
  readonly isLeft?: (point: RecoverablePoint) => boolean;
  /** When the newest end of a log was stored up to which any moment can be brought back; undefined where there is none. */
  readonly logNs?: bigint | undefined;
  /** Repositories of the component whose points are not known. */
  readonly unknown: readonly string[];
  /** How long the newest verified restore took in all, seconds. */
  readonly restoreSeconds: number | undefined;
  /** Of a restore of the newest point from the copy that it takes first. */
  readonly forecast?: { readonly repository: string; readonly forecast: Forecast } | undefined;
  /** What is locked of a point's copy, where that was asked for. */
  readonly lockOf?: (repository: string, identity: string) => LockState | undefined;
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
  const asked = { policy, component, wanted, facts, nowMs: Number(nowNs / 1_000_000n), nowNs };
  return [rpo(asked), rto(asked), ...copies(asked), ...proofs(asked)].filter((one) => one !== undefined);
}

interface Asked {
  readonly policy: Policy;
  readonly component: Component;
  readonly wanted: Objective;
  readonly facts: Facts;
  readonly nowMs: number;
  readonly nowNs: bigint;
}

/** By so much the clocks of hosts may differ: what is dated later than that is of a wrong one, and its age is not known. */
const clockSlackMs = 600_000;
/** A proof is asked for by the day. */
const proofSlackMs = 86_400_000;

function rpo({ wanted, facts, nowMs }: Asked): Judged | undefined {
  if (wanted.rpo === undefined) return undefined;
  const counted = facts.points.filter((point) => facts.isLeft?.(point) !== true);
  const times = [...counted.map(({ timeNs }) => timeNs), ...(facts.logNs === undefined ? [] : [facts.logNs])];
  const ages = times.map((timeNs) => nowMs - Number(timeNs / 1_000_000n));
  const known = ages.filter((age) => age >= -clockSlackMs);
  const base = { objective: 'rpo', wanted: wanted.rpo.text } as const;
  const ahead = known.length === ages.length ? '' : `${ages.length - known.length} dated in the future`;
  if (known.length === 0 && ahead !== '') return { ...base, state: 'unknown', reached: `not known: ${ahead}` };
  if (known.length === 0) return { ...base, ...absent(facts, 'nothing can be brought back') };
  const ageMs = Math.max(0, Math.min(...known));
  const byLog = facts.logNs !== undefined && nowMs - Number(facts.logNs / 1_000_000n) === Math.min(...known);
  const reached = `${roughText(ageMs)} would be lost${byLog ? ', by its log' : ''}${ahead === '' ? '' : `, not counting ${ahead}`}`;
  if (ageMs <= wanted.rpo.ms) return { ...base, reached, state: ageMs > wanted.rpo.ms * 0.9 ? 'at risk' : 'met' };
  return { ...base, ...absent(facts, reached) };
}

/** What a repository that can't be asked might hold nobody knows. */
function absent({ unknown }: Facts, reached: string): Pick<Judged, 'state' | 'reached'> {
  if (unknown.length === 0) return { state: 'broken', reached };
  return { state: 'unknown', reached: `${reached}, as far as is known: ${unknown.join(', ')} can’t be asked` };
}

/** What was measured can break it; what is forecast, with the error that forecasts had, is a risk at most. */
function rto({ wanted, facts: { restoreSeconds, forecast: next } }: Asked): Judged | undefined {
  if (wanted.rto === undefined) return undefined;
  const base = { objective: 'rto', wanted: wanted.rto.text } as const;
  if (restoreSeconds === undefined) return { ...base, state: 'unknown', reached: 'no restore was measured' };
  const [ms, wantedMs] = [restoreSeconds * 1000, wanted.rto.ms];
  const isNear = ms > wantedMs * 0.8 || worstMs(next?.forecast) > wantedMs;
  const state = ms > wantedMs ? 'broken' : isNear ? 'at risk' : 'met';
  return { ...base, state, reached: [`${roughText(ms)} measured`, ...forecastSaid(next, wantedMs)].join(', ') };
}

function forecastSaid(next: Facts['forecast'], wantedMs: number): readonly string[] {
  if (next?.forecast.state !== 'known') return next === undefined ? [] : ['forecast not known yet'];
  const ms = next.forecast.seconds * 1000;
  const worst = worstMs(next.forecast);
  const atWorst = ms <= wantedMs && worst > wantedMs ? [`${roughText(worst)} by its past error`] : [];
  return [`${roughText(ms)} forecast from ${next.repository}`, ...atWorst];
}

function worstMs(forecast: Forecast | undefined): number {
  if (forecast?.state !== 'known') return 0;
  return forecast.seconds * 1000 * (1 + (forecast.pastError?.longer ?? 0));
}

const counted = ['copies', 'media', 'offsite', 'immutable'] as const;
type Counted = (typeof counted)[number];

/**
 * Of the newest point of the rule that has most of them: a rule that runs often need not reach every place, and one that
 * is overdue counts no more. Where that lacks one, and an older point within the RPO has it, the copy is only on its way.
 */
function copies(asked: Asked): readonly (Judged | undefined)[] {
  const { wanted, facts, nowMs } = asked;
  const graceMs = wanted.rpo?.ms ?? 86_400_000;
  const recent = facts.points.filter(({ timeNs }) => nowMs - Number(timeNs / 1_000_000n) <= graceMs);
  const newest = newestOfRules(asked, graceMs);
  return counted.map((objective) => {
    const least = wanted[objective];
    if (least === undefined) return undefined;
    const base = { objective, wanted: String(least) } as const;
    if (newest.length === 0) return { ...base, ...absent(facts, '0') };
    if (objective === 'immutable') return { ...base, ...immutable(newest, least, asked) };
    const names = newest
      .map((point) => countedOf(objective, point, asked))
      .reduce((most, one) => (one.length > most.length ? one : most));
    const count = names.length;
    const reached = count === 0 ? '0' : `${count}: ${names.join(', ')}`;
    if (count >= least) return { ...base, state: 'met', reached };
    const isOnItsWay = recent.some((point) => countedOf(objective, point, asked).length >= least);
    if (isOnItsWay) return { ...base, state: 'at risk', reached: `${reached}; an older point has ${least}` };
    return { ...base, ...absent(facts, reached) };
  });
}

/** Of the point that is best off. That a policy asks for a lock says nothing of the locks that are there. */
function immutable(
  points: readonly RecoverablePoint[],
  least: number,
  asked: Asked,
): Pick<Judged, 'state' | 'reached'> {
  const { facts, nowNs } = asked;
  const judged = points.map((point) => {
    const locks = countedOf('immutable', point, asked).map((repository): NamedLock => {
      const lock = facts.lockOf?.(repository, point.identity) ?? {
        state: 'unknown',
        reason: 'its locks were not read',
      };
      return { repository, lock };
    });
    const reached =
      locks.length === 0 ? 'no copy in a repository that locks' : locks.map((one) => lockText(one, nowNs));
    return { state: immutabilityOf(locks, least, nowNs), reached: [reached].flat().join('; ') };
  });
  const best = judged.toSorted((a, b) => bestFirst.indexOf(a.state) - bestFirst.indexOf(b.state))[0];
  if (best === undefined) return absent(facts, '0');
  return best.state === 'too few' ? absent(facts, best.reached) : { state: best.state, reached: best.reached };
}

const bestFirst = ['met', 'at risk', 'unknown', 'too few'] as const;

/** The newest point of all, and that of each rule that isn't overdue. */
function newestOfRules({ component, facts: { points }, nowMs }: Asked, graceMs: number): readonly RecoverablePoint[] {
  const ofRules = Object.entries(component.backups).flatMap(([name, { when }]) => {
    const newest = points.findLast(({ rule }) => rule === name);
    const isOverdue = newest !== undefined && nowMs - Number(newest.timeNs / 1_000_000n) > longestGapMs(when) + graceMs;
    return newest === undefined || isOverdue ? [] : [newest];
  });
  return [...points.slice(-1), ...ofRules];
}

/** What counts, by name. Production is a copy, on a disk. */
function countedOf(what: Counted, point: RecoverablePoint, { policy, component }: Asked): readonly string[] {
  const places = point.copies.flatMap(({ repository }) => {
    const place = placeNamed(policy, component, repository);
    return place === undefined ? [] : [{ ...place, repository }];
  });
  const site = component.site ?? policy.site;
  switch (what) {
    case 'copies':
      return ['production', ...places.map(({ repository }) => repository)];
    case 'media':
      return [...new Set(['disk', ...places.flatMap(({ media }) => media ?? [])])];
    case 'offsite': {
      const sited = places.filter((place) => place.site !== undefined);
      if (site === undefined) return [...new Set(sited.flatMap((place) => place.site ?? []))].slice(1);
      return sited.filter((place) => place.site !== site).map(({ repository }) => repository);
    }
    case 'immutable':
      return places.filter(({ lock }) => lock !== undefined).map(({ repository }) => repository);
  }
}

/** How old the newest restore is that was verified: of any copy, or of the copy that has waited longest. */
function proofs({ wanted, facts, nowMs, component }: Asked): readonly (Judged | undefined)[] {
  const { ages, failed, ahead } = observed(facts.points, nowMs);
  const places = [...new Set(Object.values(component.backups).flatMap(({ to }) => Object.keys(to)))];
  const youngest = Math.min(Infinity, ...ages.values());
  const asked = places.filter((place) => !facts.unknown.includes(place));
  const oldest = Math.max(0, ...asked.map((place) => ages.get(place) ?? Infinity));
  const waiting = asked.filter((place) => (ages.get(place) ?? Infinity) === oldest);
  const each = proven('proof-each', wanted['proof-each'], {
    ...{ ageMs: oldest, failed, where: ` in ${waiting.join(', ')}` },
    isAhead: waiting.every((place) => ahead.has(place)),
  });
  // What is proven of those that can be asked says nothing of the others.
  const isHalf = each?.state !== 'broken' && facts.unknown.length > 0;
  const proof = proven('proof', wanted.proof, { ageMs: youngest, failed, where: '', isAhead: ahead.size > 0 });
  // The proof may be of a copy that can't be asked; a copy that failed is broken all the same.
  const isBlind = proof?.state === 'broken' && failed.size === 0 && facts.unknown.length > 0;
  return [
    isBlind ? { ...proof, ...absent(facts, proof.reached) } : proof,
    isHalf ? each && { ...each, ...absent(facts, each.reached) } : each,
  ];
}

interface Observed {
  /** Of the newest proof in each repository, milliseconds. */
  readonly ages: ReadonlyMap<string, number>;
  /** Where the newest proof of a copy failed. */
  readonly failed: ReadonlySet<string>;
  /** Where something was proven by a clock that is ahead: nobody knows when. */
  readonly ahead: ReadonlySet<string>;
}

function observed(points: Facts['points'], nowMs: number): Observed {
  const ages = new Map<string, number>();
  const [failed, ahead] = [new Set<string>(), new Set<string>()];
  for (const { repository, proof } of points.flatMap((point) => point.copies)) {
    if (proof.state === 'failed') failed.add(repository);
    if (proof.state !== 'verified' || proof.level !== 'restore') continue;
    failed.delete(repository);
    const ageMs = nowMs - Number(proof.timeNs / 1_000_000n);
    if (ageMs < -proofSlackMs) ahead.add(repository);
    else ages.set(repository, Math.min(ages.get(repository) ?? Infinity, ageMs));
  }
  return { ages, failed, ahead };
}

interface Proven {
  readonly ageMs: number;
  readonly failed: ReadonlySet<string>;
  /** For people: whose age it is. */
  readonly where: string;
  /** Where nothing else was proven: something was, by a clock that is ahead. */
  readonly isAhead: boolean;
}

function proven(
  objective: 'proof' | 'proof-each',
  wanted: Objective['proof'],
  { ageMs, failed, where, isAhead }: Proven,
): Judged | undefined {
  if (wanted === undefined) return undefined;
  const bad = failed.size === 0 ? '' : `, and the copy in ${[...failed].join(', ')} FAILED`;
  const base = { objective, wanted: wanted.text } as const;
  if (ageMs === Infinity && isAhead && bad === '')
    return { ...base, state: 'unknown', reached: `not known${where}: what was proven is dated in the future` };
  if (ageMs === Infinity) return { ...base, state: 'broken', reached: `never proven${where}${bad}` };
  const state = ageMs > wanted.ms || bad !== '' ? 'broken' : ageMs > wanted.ms * 0.9 ? 'at risk' : 'met';
  return { ...base, state, reached: `restored and checked ${roughText(ageMs)} ago${where}${bad}` };
}

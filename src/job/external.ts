import { goTime } from '../bytes/go-time.ts';
import { localZone } from '../clock/zone.ts';
import { failingAt, HoldfastError } from '../errors/error.ts';
import type { ExternalPoint } from '../point/point.ts';
import type { DatedSnapshot, KeepPolicy } from '../retention/keep.ts';
import { planForget } from '../retention/plan.ts';
import type { ExternalPoints, ExternalWay } from '../source/external.ts';
import type { WalkOptions } from '../source/source.ts';
import type { ComponentContext, RuleOf } from './component.ts';
import { lacking } from './lacking.ts';
import { openExternal } from './open-source.ts';

/**
 * Rules whose places are the component's own: its source makes, copies and expires the points there. What it says it did
 * is believed only once the place lists it.
 */
export interface Elsewhere {
  readonly points: ExternalPoints;
  /** The rule's own points in a place. */
  readonly list: (place: string) => Promise<readonly ExternalPoint[]>;
}

/** Undefined where the rule's place is a repository. */
export function elsewhere(context: ComponentContext, of: RuleOf, place: string): Elsewhere | undefined {
  if (context.policy.repositories[place] !== undefined) return undefined;
  const points = openExternal(context, of.name, of.component);
  const list: Elsewhere['list'] = async (at) =>
    (await points.list(at, context)).filter(({ rule }) => rule === of.ruleName);
  return { points, list };
}

/** A point that a source made in a place of the component's own. */
export interface MadePoint {
  readonly held: 'external';
  readonly place: string;
  /** Undefined after a dry run. */
  readonly point: ExternalPoint | undefined;
  /** Things that could not be had, or not whole; each was told as a warning. */
  readonly unread: number;
}

export async function makePoint(
  { points, list }: Elsewhere,
  context: ComponentContext,
  { name, ruleName: rule, rule: { method = '' } }: RuleOf,
  place: string,
): Promise<MadePoint> {
  let unread = 0;
  const listener: WalkOptions['listener'] = (event) => {
    if (event.kind === 'warning') unread += 1;
    context.listener(event);
  };
  if (context.mode === 'dry-run') return { held: 'external', place, point: undefined, unread };
  const wanted = { rule, method, timeNs: context.clock.nowNs() };
  const { identity } = await points.make(place, wanted, { listener, signal: context.signal });
  const point = (await list(place)).find((one) => one.identity === identity);
  if (point === undefined) throw disbelieved(name, `${place} does not list ${identity}, which was just made there`);
  return { held: 'external', place, point, unread };
}

/** What came of copies or of expiries, point by point. */
export interface Carried {
  readonly held: 'external';
  /** Whose turn it was and for whom it is done; in a dry run, would be. */
  readonly done: readonly ExternalPoint[];
  /** Each was told as a warning. */
  readonly failed: readonly ExternalPoint[];
}

/** Undefined where nothing is missing. */
export async function copyPoints(
  { points, list }: Elsewhere,
  context: ComponentContext,
  of: RuleOf,
  way: ExternalWay,
): Promise<Carried | undefined> {
  const there = (await failingAt(way.from, async () => await list(way.from))).map(dated);
  const keep = of.rule.to[way.to]?.keep;
  const present = (await list(way.to)).map(dated);
  const missing = keep === undefined ? [] : lacking(there, present, keep, { nowNs: context.clock.nowNs(), idOf });
  if (missing.length === 0) return undefined;
  const steps = missing.map(({ point }) => point);
  if (context.mode === 'dry-run') return { held: 'external', done: steps, failed: [] };
  const carried = await each(context, 'copy', steps, async (point) => await points.copy(point, way, context));
  const arrived = new Set((await list(way.to)).map(({ identity }) => identity));
  return judged(context, of, carried, (point) => arrived.has(point.identity), `${way.to} does not list it`);
}

export async function expirePoints(
  { points, list }: Elsewhere,
  context: ComponentContext,
  of: RuleOf,
  { place, keep }: { readonly place: string; readonly keep: KeepPolicy },
): Promise<Carried> {
  const groupBy = { host: false, paths: false, tags: false };
  const held = (await list(place)).map(dated);
  const moment = { nowNs: context.clock.nowNs(), zone: localZone() };
  const plan = planForget(held, { policy: keep, groupBy, ...moment });
  const steps = plan.flatMap(({ remove }) => remove.map(({ point }) => point));
  if (context.mode === 'dry-run' || steps.length === 0) return { held: 'external', done: steps, failed: [] };
  const carried = await each(context, 'forget', steps, async (point) => await points.expire(place, point, context));
  const left = new Set((await list(place)).map(({ identity }) => identity));
  return judged(context, of, carried, (point) => !left.has(point.identity), `${place} lists it still`);
}

interface Dated extends DatedSnapshot {
  readonly point: ExternalPoint;
}

function dated(point: ExternalPoint): Dated {
  const { identity: id, timeNs } = point;
  return { id, time: goTime(timeNs, localZone()), timeNs, hostname: '', paths: [], tags: [], point };
}

function idOf({ id }: Dated): string {
  return id;
}

/** One that fails is told, and the others go on. */
async function each(
  { listener, signal }: ComponentContext,
  during: string,
  points: readonly ExternalPoint[],
  step: (point: ExternalPoint) => Promise<void>,
): Promise<Pick<Carried, 'done' | 'failed'>> {
  const [done, failed]: [ExternalPoint[], ExternalPoint[]] = [[], []];
  for (const point of points) {
    signal.throwIfAborted();
    try {
      await step(point);
      done.push(point);
    } catch (error) {
      if (!(error instanceof HoldfastError) || signal.aborted) throw error;
      failed.push(point);
      listener({ kind: 'warning', during, item: point.identity, message: error.message });
    }
  }
  return { done, failed };
}

/** Holds what a source says it did against what the place lists since. */
function judged(
  { listener }: ComponentContext,
  { name }: RuleOf,
  { done, failed }: Pick<Carried, 'done' | 'failed'>,
  isTrue: (point: ExternalPoint) => boolean,
  message: string,
): Carried {
  const untrue = done.filter((point) => !isTrue(point));
  for (const { identity } of untrue)
    listener({ kind: 'warning', during: 'points', item: identity, message: `${name}: ${message}` });
  return { held: 'external', done: done.filter(isTrue), failed: [...failed, ...untrue] };
}

function disbelieved(component: string, message: string): HoldfastError {
  return new HoldfastError('source-failed', `${component}: ${message}`);
}

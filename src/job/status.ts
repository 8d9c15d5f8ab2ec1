import { total } from '../objective/forecast.ts';
import { judge, type Facts, type Judged, type State } from '../objective/objective.ts';
import type { LockState } from '../objective/immutable.ts';
import { isKnownBad, type RecoverablePoint } from '../point/point.ts';
import { objectiveOf, placeNamed, placesOf, type Policy } from '../policy/policy.ts';
import type { StoredRecord } from '../record/record.ts';
import type { ComponentContext } from './component.ts';
import { failuresOf, type Failures } from './failures.ts';
import { dueIn } from './due-base.ts';
import { expectedRestores, measuredIn, type ExpectedRestore } from './expected.ts';
import { livingReach, type LogReach } from './living-reach.ts';
import { listLogs, type LogsOutcome } from './logs.ts';
import { readLockState } from './lock-state.ts';
import { openSource } from './open-source.ts';
import { listPoints, type PointsOutcome, type UnknownPlace } from './points.ts';

/** What is known of a component now, and what that means for what is wanted of it. */
export interface ComponentStatus {
  readonly component: string;
  readonly tier: string | undefined;
  /** The worst of its objectives, of failures since, and of what is not known. */
  readonly state: State;
  readonly objectives: readonly Judged[];
  readonly newest: RecoverablePoint | undefined;
  /** What bringing back the newest point would take, from each of its copies in a restore's order. */
  readonly expected: readonly ExpectedRestore[];
  readonly failures: Failures;
  /** What its log holds last can't be brought back: why a base backup should be taken at once, for people. */
  readonly due: string | undefined;
  readonly log: LogReach | undefined;
  /** Its repositories and places that could not be asked. */
  readonly unknown: readonly UnknownPlace[];
}

const order: readonly State[] = ['met', 'at risk', 'unknown', 'broken'];

/** Gathers facts from all repositories of the components and holds them against their objectives. */
export async function statusOf(
  context: ComponentContext,
  components: readonly string[],
): Promise<readonly ComponentStatus[]> {
  const listed = await listPoints(context, components);
  const logs = await listLogs(context, components, listed.points);
  const locks = new Map<string, LockState>();
  for (const component of components)
    for (const [copy, lock] of await locksOf(context, component, listed.points)) locks.set(copy, lock);
  const known = { context, policy: context.policy, listed, logs, locks, nowNs: context.clock.nowNs() };
  return components.map((component) => statusFrom(known, component));
}

interface Known {
  readonly context: ComponentContext;
  readonly policy: Policy;
  readonly listed: PointsOutcome;
  readonly logs: LogsOutcome;
  readonly locks: ReadonlyMap<string, LockState>;
  readonly nowNs: bigint;
}

function statusFrom(known: Known, component: string): ComponentStatus {
  const { policy, listed, nowNs } = known;
  const points = listed.points.filter((point) => point.component === component);
  const newest = points.at(-1);
  const records = listed.records.filter((record) => record.component === component);
  const expected = newest === undefined ? [] : expectedRestores(policy, newest, records);
  const unknown = unknownTo(known, component);
  const restoreSeconds = measuredSeconds(points, records, component);
  const lockOf: Facts['lockOf'] = (repository, identity) => known.locks.get(`${repository} ${identity}`);
  const unasked = known.logs.unknown.filter((one) => one.component === component);
  const names = [...new Set([...unknown, ...unasked].map(({ repository }) => repository))];
  const { log, isLeft } = livingReach(known.logs.logs, component, points);
  const logNs = log && latest([log.storedNs, log.seenNs].filter((one) => one !== undefined));
  const facts = { points, isLeft, logNs, unknown: names, restoreSeconds, forecast: expected[0], lockOf };
  const objectives = judge(policy, component, facts, nowNs);
  const failures = failuresOf(policy, component, listed, nowNs);
  const due = unknown.length > 0 || unasked.length > 0 ? undefined : dueText(known, component);
  const isBlind = unknown.length > 0 || listed.cut.some((one) => one.component === component);
  const state = worstOf([
    ...objectives.map((one) => one.state),
    ...(failures.counted.length > 0 || due !== undefined ? (['at risk'] as const) : []),
    ...(isBlind ? (['unknown'] as const) : []),
    ...(points.length === 0 && unknown.length === 0 ? (['broken'] as const) : []),
  ]);
  return {
    component,
    tier: policy.components[component]?.tier,
    state,
    objectives,
    newest,
    expected,
    failures,
    due,
    log,
    unknown,
  };
}

function worstOf(states: readonly State[]): State {
  return order[Math.max(0, ...states.map((one) => order.indexOf(one)))] ?? 'unknown';
}

/** Places of the component whose points are not known. */
function unknownTo({ policy, listed: { unknown } }: Known, component: string): readonly UnknownPlace[] {
  const places = new Set(Object.values(policy.components[component]?.backups ?? {}).flatMap(placesOf));
  return unknown.filter(
    (one) => (one.component === undefined || one.component === component) && places.has(one.repository),
  );
}

function latest(times: readonly bigint[]): bigint | undefined {
  return times.reduce<bigint | undefined>((most, one) => (most === undefined || one > most ? one : most), undefined);
}

function dueText({ context, policy, logs, listed }: Known, name: string): string | undefined {
  const { [name]: component } = policy.components;
  const due = dueIn(logs.logs, name, listed.points);
  if (component === undefined || due === undefined) return undefined;
  const text = openSource(context, name, component).log?.positionText ?? String;
  const { since, gap, reason = 'its log does not hold it' } = due;
  const isBad = listed.points.some((point) => point.component === name && point.log !== undefined && isKnownBad(point));
  const follows = `what its log holds from ${text(since)} on follows no backup${isBad ? ' but what a verification found wrong' : ''}`;
  return gap === undefined ? follows : `${follows}: ${text(gap.from)} to ${text(gap.to)} is missing (${reason})`;
}

/** What a place took that holds nothing any more is no promise of another. */
function measuredSeconds(
  points: readonly RecoverablePoint[],
  records: readonly StoredRecord[],
  component: string,
): number | undefined {
  const holding = new Set(points.flatMap(({ copies }) => copies.map(({ repository }) => repository)));
  const measured = measuredIn(records, component).findLast(({ repository }) => holding.has(repository));
  return measured && total(measured.stages);
}

/** Of the newest point of each rule, where its component is to have copies that can't be removed. */
async function locksOf(
  context: ComponentContext,
  name: string,
  points: readonly RecoverablePoint[],
): Promise<ReadonlyMap<string, LockState>> {
  const found = new Map<string, LockState>();
  const { policy } = context;
  const { [name]: component } = policy.components;
  if (component === undefined || objectiveOf(policy, component).immutable === undefined) return found;
  for (const rule of Object.keys(component.backups)) {
    const newest = points.findLast((point) => point.component === name && point.rule === rule);
    for (const copy of newest?.copies ?? []) {
      if (copy.held !== 'repository' || placeNamed(policy, component, copy.repository)?.lock === undefined) continue;
      found.set(`${copy.repository} ${newest?.identity}`, await readLockState(context, copy));
    }
  }
  return found;
}

import { total } from '../objective/forecast.ts';
import { judge, type Facts, type Judged, type State } from '../objective/objective.ts';
import type { LockState } from '../objective/immutable.ts';
import { proofLevels, type RecoverablePoint } from '../point/point.ts';
import { objectiveOf, placeNamed } from '../policy/policy.ts';
import type { StoredRecord } from '../record/record.ts';
import type { ComponentContext } from './component.ts';
import type { GonePoint } from './gone.ts';
import { expectedRestores, measuredIn, type ExpectedRestore } from './expected.ts';
import { readLockState } from './lock-state.ts';
import { listPoints, successesAheadFirst, type CutChain } from './points.ts';

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
  /** Rules whose newest run or copy failed: what they say of it. */
  readonly failures: readonly Failure[];
  readonly unknown: readonly string[];
}

export interface Failure {
  readonly what: string;
  readonly outcome: 'failed' | 'could not verify' | 'gone';
  readonly timeNs: bigint;
  readonly message: string;
}

const order: readonly State[] = ['met', 'at risk', 'unknown', 'broken'];

/** Gathers facts from all repositories of the components and holds them against their objectives. */
export async function statusOf(
  context: ComponentContext,
  components: readonly string[],
): Promise<readonly ComponentStatus[]> {
  const { points, unknown, gone, records, cut } = await listPoints(context, components);
  const locks = new Map<string, LockState>();
  for (const component of components)
    for (const [copy, lock] of await locksOf(context, component, points)) locks.set(copy, lock);
  const nowNs = context.clock.nowNs();
  return components.map((component) => {
    const own = records.filter((record) => record.component === component);
    const ownPoints = points.filter((point) => point.component === component);
    const { tier, backups } = context.policy.components[component] ?? { tier: undefined, backups: {} };
    const places = new Set(Object.values(backups).flatMap(({ to }) => Object.keys(to)));
    const asked = unknown.filter((one) => one.component === undefined || one.component === component);
    const missing = asked.map(({ repository }) => repository).filter((name) => places.has(name));
    const newest = ownPoints.at(-1);
    const expected = newest === undefined ? [] : expectedRestores(context.policy, newest, own);
    // What a place took that holds nothing any more is no promise of another.
    const holding = new Set(ownPoints.flatMap(({ copies }) => copies.map(({ repository }) => repository)));
    const measured = measuredIn(own, component).findLast(({ repository }) => holding.has(repository));
    const restoreSeconds = measured && total(measured.stages);
    const lockOf: Facts['lockOf'] = (repository, identity) => locks.get(`${repository} ${identity}`);
    const facts = { points: ownPoints, unknown: missing, restoreSeconds, forecast: expected[0], lockOf };
    const objectives = judge(context.policy, component, facts, nowNs);
    const cutOff = cut.filter((one) => one.component === component);
    const failures = [
      ...newestFailures(successesAheadFirst(own, nowNs)),
      ...gone.filter((one) => one.component === component).map(vanished),
      ...cutOff.map((one) => unread(one, nowNs)),
    ];
    const states: readonly State[] = [
      ...objectives.map(({ state }) => state),
      ...(failures.length > 0 ? (['at risk'] as const) : []),
      ...(missing.length > 0 || cutOff.length > 0 ? (['unknown'] as const) : []),
      ...(ownPoints.length === 0 && missing.length === 0 ? (['broken'] as const) : []),
    ];
    const state = order[Math.max(0, ...states.map((one) => order.indexOf(one)))] ?? 'unknown';
    return { component, tier, state, objectives, newest, expected, failures, unknown: missing };
  });
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

/** Nobody's failure of ours, and a loss all the same. */
function vanished({ repository, identity, timeNs }: GonePoint): Failure {
  return {
    what: `the point ${identity} in ${repository}`,
    outcome: 'gone',
    timeNs,
    message: 'it is gone, and nothing of ours expired it',
  };
}

/** What failed may stand in what can't be read. */
function unread({ repository, name, reason }: CutChain, timeNs: bigint): Failure {
  const message = `${name}: ${reason}; what is recorded from there on is not known`;
  return { what: `the records in ${repository}`, outcome: 'could not verify', timeNs, message };
}

/** A failure counts until the same thing was done well; a verification that looked at less is not the same. */
export function newestFailures(records: readonly StoredRecord[]): readonly Failure[] {
  const newest = new Map<string, { readonly what: string; readonly record: StoredRecord }>();
  for (const record of records) {
    // What was refused says nothing of what was done before.
    if (record.data['outcome'] === 'refused') continue;
    const rule = typeof record.data['rule'] === 'string' ? ` of ${record.data['rule']}` : '';
    const what = `${record.kind}${rule}${record.repository === undefined ? '' : ` in ${record.repository}`}`;
    const rank = proofLevels.findIndex((level) => record.kind === 'verification' && level === record.data['level']);
    if (record.data['outcome'] === 'verified')
      for (let less = 0; less < rank; less += 1) newest.delete(`${what} ${less}`);
    newest.set(`${what} ${rank}`, { what, record });
  }
  return [...newest.values()].flatMap(({ what, record }) => {
    const { timeNs, data } = record;
    if (data['outcome'] !== 'failed' && data['outcome'] !== 'could not verify') return [];
    const { outcome } = data;
    return [{ what, outcome, timeNs, message: messageOf(record) }];
  });
}

function messageOf({ data, repository }: StoredRecord): string {
  const { at, message = data['reason'] ?? data['outcome'] } = data;
  return typeof at === 'string' && at !== repository ? `${at}: ${String(message)}` : String(message);
}

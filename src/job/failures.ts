import { placesOf, type Policy } from '../policy/policy.ts';
import { proofLevels } from '../point/point.ts';
import type { StoredRecord } from '../record/record.ts';
import type { GonePoint } from './gone.ts';
import { successesAheadFirst, type CutChain, type PointsOutcome } from './points.ts';

/** What went wrong and was not made good since. */
export interface Failure {
  readonly what: string;
  readonly outcome: 'failed' | 'could not verify' | 'gone';
  readonly timeNs: bigint;
  readonly message: string;
}

export interface Failures {
  /** Of what the policy has. */
  readonly counted: readonly Failure[];
  /** Of rules and places that it has no longer: nothing could ever make them good. */
  readonly past: readonly Failure[];
}

export function failuresOf(
  policy: Policy,
  component: string,
  { records, gone, cut }: Pick<PointsOutcome, 'records' | 'gone' | 'cut'>,
  nowNs: bigint,
): Failures {
  const isOwn = (one: { readonly component: string }): boolean => one.component === component;
  const ordered = successesAheadFirst(records.filter(isOwn), nowNs);
  const { meant = [], past = [] } = Object.groupBy(ordered, (record) => (isMeant(policy, record) ? 'meant' : 'past'));
  return {
    counted: [
      ...newestFailures(meant),
      ...gone.filter(isOwn).map(vanished),
      ...cut.filter(isOwn).map((one) => unread(one, nowNs)),
    ],
    past: newestFailures(past),
  };
}

/** A backup goes to the first place of its rule, copies to the others; a copy is verified wherever a rule keeps some. */
function isMeant(
  { components }: Policy,
  { kind, component, repository, data: { rule, safety } }: StoredRecord,
): boolean {
  const backups = components[component]?.backups ?? {};
  if (repository === undefined || safety !== undefined) return true;
  if (typeof rule !== 'string') return Object.values(backups).some((one) => placesOf(one).includes(repository));
  const { [rule]: named } = backups;
  if (named === undefined) return false;
  const [first, ...others] = placesOf(named);
  if (kind === 'run') return repository === first;
  return kind === 'copy' ? others.includes(repository) : placesOf(named).includes(repository);
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

import { secondText } from '../clock/date.ts';
import { hasCode, type HoldfastError } from '../errors/error.ts';
import { placesOf } from '../policy/policy.ts';
import {
  pointsOf,
  proofLevels,
  type FoundIn,
  type Proof,
  type ProofLevel,
  type ProofOf,
  type RecoverablePoint,
} from '../point/point.ts';
import type { StoredRecord } from '../record/record.ts';
import { verifyChains } from '../record/verdict.ts';
import type { Finding } from '../record/walk.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { listSnapshots, type SnapshotFilter } from '../snapshot/snapshots.ts';
import { contextIn, type ComponentContext } from './component.ts';
import { fromEach } from './from-each.ts';
import { goneFrom, heldElsewhere, type GonePoint } from './gone.ts';
import { inRepository } from './job.ts';
import { pointsElsewhere } from './points-elsewhere.ts';
import { homesOf } from './recorder.ts';
import { trustedSigners } from './introductions.ts';
import type { SignersOf } from './trust.ts';

export interface PointsOutcome {
  /** Oldest first. */
  readonly points: readonly RecoverablePoint[];
  /** Repositories and places whose points are not known, each told as a warning. */
  readonly unknown: readonly UnknownPlace[];
  /** What vanished elsewhere, each told as a warning: no point any more, whatever was proven of it. */
  readonly gone: readonly GonePoint[];
  /** What was recorded of them, as far as chains are unbroken; oldest first. */
  readonly records: readonly StoredRecord[];
  /** Chains that end before their end, each told as a warning: what is recorded behind is not among the records. */
  readonly cut: readonly CutChain[];
}

export interface CutChain extends Pick<Finding, 'name' | 'reason'> {
  readonly repository: string;
  readonly component: string;
}

export interface UnknownPlace {
  readonly repository: string;
  /** Whose place it is; undefined for a repository. */
  readonly component?: string;
  readonly error: HoldfastError;
}

/** The recoverable points of components, from every repository and place that their rules name; all are asked at the same time. */
export async function listPoints(context: ComponentContext, components: readonly string[]): Promise<PointsOutcome> {
  const asked = repositoriesOf(context, components);
  const signersOf = await trustedSigners(context);
  const held = async (repository: string): Promise<Held> =>
    await heldBy(context, repository, { components, signersOf });
  const answers = await fromEach(asked, held, context);
  const elsewhere = await pointsElsewhere(context, components);
  const unknown = [...answers, ...elsewhere].flatMap((one): UnknownPlace[] => (one.error === undefined ? [] : [one]));
  const inRepositories = answers.flatMap(({ repository, value }) =>
    value === undefined ? [] : [{ repository, ...value }],
  );
  const found: readonly FoundIn[] = elsewhere.flatMap(({ value: external, ...place }) =>
    external === undefined ? [] : [{ ...place, external }],
  );
  const records = inRepositories.flatMap((one) => one.records);
  records.sort((a, b) => (a.timeNs < b.timeNs ? -1 : a.timeNs > b.timeNs ? 1 : 0));
  for (const one of unknown) tellUnknown(context, one, records);
  const gone = goneFrom(context.policy, records, found, context.clock.nowNs());
  for (const point of gone) tellGone(context, point);
  const cut = inRepositories.flatMap((one) => one.cut.map((end) => ({ ...end, repository: one.repository })));
  for (const { repository: item, name, reason } of cut) {
    const message = `${name}: ${reason}; what is recorded from there on is not known`;
    context.listener({ kind: 'warning', during: 'points', item, message });
  }
  return {
    points: pointsOf([...inRepositories, ...found], proofsIn(successesAheadFirst(records, context.clock.nowNs()))),
    unknown,
    gone,
    records,
    cut,
  };
}

/** Of one that vanished other repositories may tell. */
function tellUnknown(
  { listener }: ComponentContext,
  { repository: item, error }: UnknownPlace,
  records: readonly StoredRecord[],
): void {
  const told = hasCode(error, 'no-repository') ? records.findLast(({ repository }) => repository === item) : undefined;
  const known = told === undefined ? '' : `; records tell of it until ${secondText(told.timeNs)}: is its disk mounted?`;
  const message = `its points are not known: ${error.message}${known}`;
  listener({ kind: 'warning', during: 'points', item, message });
}

function tellGone({ listener }: ComponentContext, { component, repository, identity, rule, timeNs }: GonePoint): void {
  const message = `the point ${identity} of ${component}, rule ${rule}, made ${secondText(timeNs)}, is GONE: nothing of ours expired it`;
  listener({ kind: 'warning', during: 'points', item: repository, message });
}

/** Those too that hold nothing but the records of components whose points are elsewhere. */
function repositoriesOf({ policy }: ComponentContext, components: readonly string[]): readonly string[] {
  const named = components.flatMap((name) => [
    ...Object.values(policy.components[name]?.backups ?? {}).flatMap(placesOf),
    ...homesOf(policy, name),
  ]);
  return [...new Set(named)].filter((place) => policy.repositories[place] !== undefined);
}

interface Held {
  readonly snapshots: readonly Snapshot[];
  readonly records: readonly StoredRecord[];
  readonly cut: readonly Omit<CutChain, 'repository'>[];
}

async function heldBy(
  context: ComponentContext,
  repository: string,
  { components, signersOf }: { readonly components: readonly string[]; readonly signersOf: SignersOf },
): Promise<Held> {
  const filter: SnapshotFilter = { hosts: [], paths: [], tagLists: components.map((name) => [`hf.component=${name}`]) };
  return await inRepository(contextIn(context, repository), 'read', async (opened) => {
    const snapshots = (await listSnapshots(opened, filter)).flatMap((one) => {
      if (one.kind === 'snapshot') return [one.snapshot];
      const message = `snapshot ${one.name} can’t be read: ${one.error.message}`;
      context.listener({ kind: 'warning', during: 'points', item: repository, message });
      return [];
    });
    const records: StoredRecord[] = [];
    const cut: Omit<CutChain, 'repository'>[] = [];
    const onRecord = (record: StoredRecord): void => void records.push(record);
    const onCut = ({ name, reason }: Finding, component: string): void => void cut.push({ component, name, reason });
    await verifyChains(opened, { components, signersOf, heads: undefined, onRecord, onCut });
    return { snapshots, records, cut };
  });
}

/** More than clocks differ. */
const aheadNs = 86_400_000_000_000n;

/**
 * Of records in the order of time: what went well by a clock that is far ahead was nobody knows when, and takes nothing
 * back of what failed by a right one.
 */
export function successesAheadFirst(records: readonly StoredRecord[], nowNs: bigint): readonly StoredRecord[] {
  const isLoose = ({ timeNs, data: { outcome } }: StoredRecord): boolean =>
    timeNs > nowNs + aheadNs && (outcome === 'done' || outcome === 'verified');
  return [...records.filter(isLoose), ...records.filter((one) => !isLoose(one))];
}

/** The newest verification of each copy counts that came to an end; one that could not be done says nothing. */
export function proofsIn(records: readonly StoredRecord[]): ProofOf {
  const proofs = new Map<string, Proof>();
  for (const record of records) {
    const { kind, component, repository = '', data, timeNs } = record;
    const { outcome: state, level: text, point } = data;
    // What was proven of a copy says nothing of the one that took its place.
    for (const identity of heldElsewhere(record)) proofs.delete(`${component} ${repository} ${identity}`);
    const level = proofLevels.find((one) => one === text);
    if (kind !== 'verification' || level === undefined || (state !== 'verified' && state !== 'failed')) continue;
    const key = `${component} ${repository} ${String(point)}`;
    const known = proofs.get(key);
    // A lower level that held says nothing of a higher one, whether that held or failed.
    const isLess =
      known !== undefined && known.state !== 'stored' && state === 'verified' && rank(level) < rank(known.level);
    if (!isLess) proofs.set(key, { state, level, timeNs });
  }
  return (component, repository, identity) =>
    proofs.get(`${component} ${repository} ${identity}`) ?? { state: 'stored' };
}

function rank(level: ProofLevel): number {
  return proofLevels.indexOf(level);
}

import type { HoldfastError } from '../errors/error.ts';
import { placesOf } from '../policy/policy.ts';
import {
  pointsOf,
  proofLevels,
  type Proof,
  type ProofLevel,
  type ProofOf,
  type RecoverablePoint,
} from '../point/point.ts';
import type { StoredRecord } from '../record/record.ts';
import { verifyChains } from '../record/verdict.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { listSnapshots, type SnapshotFilter } from '../snapshot/snapshots.ts';
import { contextIn, type ComponentContext } from './component.ts';
import { fromEach } from './from-each.ts';
import { inRepository } from './job.ts';

export interface PointsOutcome {
  /** Oldest first. */
  readonly points: readonly RecoverablePoint[];
  /** Repositories whose points are not known, each told as a warning. */
  readonly unknown: readonly { readonly repository: string; readonly error: HoldfastError }[];
  /** What was recorded of them, as far as chains are unbroken; oldest first. */
  readonly records: readonly StoredRecord[];
}

/** The recoverable points of components, from every repository that their rules name; all are asked at the same time. */
export async function listPoints(context: ComponentContext, components: readonly string[]): Promise<PointsOutcome> {
  const asked = repositoriesOf(context, components);
  const answers = await fromEach(asked, async (repository) => await heldBy(context, repository, components), context);
  const unknown = answers.flatMap(({ repository, error }) => (error === undefined ? [] : [{ repository, error }]));
  for (const { repository, error } of unknown) {
    const message = `its points are not known: ${error.message}`;
    context.listener({ kind: 'warning', during: 'points', item: repository, message });
  }
  const held = answers.flatMap(({ repository, value }) => (value === undefined ? [] : [{ repository, ...value }]));
  const records = held.flatMap((one) => one.records);
  records.sort((a, b) => (a.timeNs < b.timeNs ? -1 : a.timeNs > b.timeNs ? 1 : 0));
  return { points: pointsOf(held, proofsIn(records)), unknown, records };
}

function repositoriesOf({ policy }: ComponentContext, components: readonly string[]): readonly string[] {
  const rules = components.flatMap((name) => Object.values(policy.components[name]?.backups ?? {}));
  return [...new Set(rules.flatMap(placesOf))];
}

interface Held {
  readonly snapshots: readonly Snapshot[];
  readonly records: readonly StoredRecord[];
}

async function heldBy(context: ComponentContext, repository: string, components: readonly string[]): Promise<Held> {
  const filter: SnapshotFilter = { hosts: [], paths: [], tagLists: components.map((name) => [`hf.component=${name}`]) };
  const { signers } = context.policy;
  return await inRepository(contextIn(context, repository), 'read', async (opened) => {
    const snapshots = (await listSnapshots(opened, filter)).flatMap((one) => {
      if (one.kind === 'snapshot') return [one.snapshot];
      const message = `snapshot ${one.name} can’t be read: ${one.error.message}`;
      context.listener({ kind: 'warning', during: 'points', item: repository, message });
      return [];
    });
    const chains = await verifyChains(opened, { components, signers, heads: undefined });
    return { snapshots, records: chains.flatMap((chain) => chain.records) };
  });
}

/** The newest verification of each copy counts that came to an end; one that could not be done says nothing. */
function proofsIn(records: readonly StoredRecord[]): ProofOf {
  const proofs = new Map<string, Proof>();
  for (const { kind, repository = '', data, timeNs } of records) {
    const { outcome: state, level: text, point } = data;
    const level = proofLevels.find((one) => one === text);
    if (kind !== 'verification' || level === undefined || (state !== 'verified' && state !== 'failed')) continue;
    const key = `${repository} ${String(point)}`;
    const known = proofs.get(key);
    // A lower level that held says nothing against a higher one that did.
    const isLess = known?.state === 'verified' && state === 'verified' && rank(level) < rank(known.level);
    if (!isLess) proofs.set(key, { state, level, timeNs });
  }
  return (repository, identity) => proofs.get(`${repository} ${identity}`) ?? { state: 'stored' };
}

function rank(level: ProofLevel): number {
  return proofLevels.indexOf(level);
}

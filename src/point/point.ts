import type { FileId } from '../bytes/ids.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';

/**
 * A moment of a component to which it can be brought back: one list over everything that can do so, in all
 * repositories. The same snapshot in several repositories is one point with several copies; it has one identity, that
 * of the snapshot it was copied from, whatever its ID is in each repository.
 *
 * Policy, objectives, status and plans see points only. So far all of them are snapshots.
 */
export interface RecoverablePoint {
  readonly component: string;
  readonly rule: string;
  /** '' where the source has one only. */
  readonly method: string;
  readonly identity: FileId;
  /** Nanoseconds since 1970. */
  readonly timeNs: bigint;
  /** What a restore brings back; undefined where the snapshot doesn't say. */
  readonly sizeBytes: number | undefined;
  /** In the order in which the repositories were given. */
  readonly copies: readonly PointCopy[];
}

export interface PointCopy {
  readonly repository: string;
  readonly snapshot: Snapshot;
  readonly proof: Proof;
}

/** What is known of one copy; it says nothing of another. */
export type Proof =
  /** Nobody looked at it since it was stored. */
  | { readonly state: 'stored' }
  /** The newest verification that came to an end: what it looked at was right, or was not. */
  | { readonly state: 'verified' | 'failed'; readonly level: ProofLevel; readonly timeNs: bigint };

/** How far a verification looked; each includes what stands before it, but a sample is of some files only. */
export const proofLevels = ['structure', 'data', 'sample', 'restore'] as const;
export type ProofLevel = (typeof proofLevels)[number];

/** What was found in a repository, by its name in the policy. */
export interface FoundIn {
  readonly repository: string;
  readonly snapshots: readonly Snapshot[];
}

/** What is proven of the copy of a point in a repository. */
export type ProofOf = (repository: string, identity: FileId) => Proof;

/** The points of snapshots that components made, oldest first; those of nobody's component are left out. */
export function pointsOf(found: readonly FoundIn[], proofOf: ProofOf): readonly RecoverablePoint[] {
  const points = new Map<string, RecoverablePoint>();
  for (const { repository, snapshots } of found) {
    for (const snapshot of snapshots) {
      const point = pointOf(snapshot, repository, proofOf);
      if (point === undefined) continue;
      const key = `${point.component} ${point.rule} ${point.identity}`;
      const known = points.get(key);
      points.set(key, known === undefined ? point : { ...known, copies: [...known.copies, ...point.copies] });
    }
  }
  return [...points.values()].toSorted((a, b) => compare(a.timeNs, b.timeNs) || compare(a.identity, b.identity));
}

function pointOf(snapshot: Snapshot, repository: string, proofOf: ProofOf): RecoverablePoint | undefined {
  const [component, rule] = [tagged(snapshot, 'hf.component'), tagged(snapshot, 'hf.rule')];
  if (component === undefined || rule === undefined) return undefined;
  return {
    component,
    rule,
    method: tagged(snapshot, 'hf.method') ?? '',
    identity: identityOf(snapshot),
    timeNs: snapshot.timeNs,
    sizeBytes: snapshot.summary?.totalBytesProcessed,
    copies: [{ repository, snapshot, proof: proofOf(repository, identityOf(snapshot)) }],
  };
}

/** The same snapshot has one identity in all repositories. */
export function identityOf({ original, id }: Snapshot): FileId {
  return original ?? id;
}

function tagged({ tags }: Snapshot, name: string): string | undefined {
  return tags.find((tag) => tag.startsWith(`${name}=`))?.slice(name.length + 1);
}

function compare<T extends bigint | string>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

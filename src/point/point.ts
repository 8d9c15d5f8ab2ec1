import { parseGoTime } from '../bytes/go-time.ts';
import type { FileId } from '../bytes/ids.ts';
import { hasCode } from '../errors/error.ts';
import type { Extent } from '../log/log.ts';
import { parseExtentText } from '../log/names.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';

/**
 * A moment of a component to which it can be brought back: one list over everything that can do so, in all
 * repositories. The same snapshot in several repositories is one point with several copies; it has one identity, that
 * of the snapshot it was copied from, whatever its ID is in each repository. What a component's source holds in places
 * of its own is a point like any other.
 *
 * Policy, objectives, status and plans see points only.
 */
export interface RecoverablePoint {
  readonly component: string;
  readonly rule: string;
  /** '' where the source has one only. */
  readonly method: string;
  /** The ID of a snapshot, or what a place elsewhere calls it. */
  readonly identity: string;
  /** Nanoseconds since 1970. */
  readonly timeNs: bigint;
  /** When all of it had been read; undefined where the snapshot doesn't say. */
  readonly endNs?: bigint | undefined;
  /** What a restore brings back; undefined where the snapshot doesn't say. */
  readonly sizeBytes: number | undefined;
  /** Where it stands in the component's log; undefined where it has none. */
  readonly log?: (Extent & { readonly stream: string }) | undefined;
  /** In the order in which the repositories were given. */
  readonly copies: readonly PointCopy[];
}

export type PointCopy = StoredCopy | ExternalCopy;

interface Copy {
  /** Of the policy, or the place of the component's own that holds it. */
  readonly repository: string;
  readonly proof: Proof;
}

export interface StoredCopy extends Copy {
  readonly held: 'repository';
  readonly snapshot: Snapshot;
}

export interface ExternalCopy extends Copy {
  readonly held: 'external';
  readonly point: ExternalPoint;
}

/** A point that a component's source holds in a place of its own, as that place tells of it. */
export interface ExternalPoint {
  /** Within the place, and the same in each that has a copy. */
  readonly identity: string;
  readonly rule: string;
  /** '' where the source has one only. */
  readonly method: string;
  /** Nanoseconds since 1970. */
  readonly timeNs: bigint;
  readonly sizeBytes: number | undefined;
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

/** What was found in a repository, by its name in the policy, or in a place of a component's own. */
export type FoundIn =
  | { readonly repository: string; readonly snapshots: readonly Snapshot[] }
  | { readonly repository: string; readonly component: string; readonly external: readonly ExternalPoint[] };

/** What is proven of the copy of a component's point in a repository. */
export type ProofOf = (component: string, repository: string, identity: string) => Proof;

/** The points that components made, oldest first; snapshots of nobody's component are left out. */
export function pointsOf(found: readonly FoundIn[], proofOf: ProofOf): readonly RecoverablePoint[] {
  const points = new Map<string, RecoverablePoint>();
  for (const point of found.flatMap((one) => pointsIn(one, proofOf))) {
    const key = `${point.component} ${point.rule} ${point.identity}`;
    const known = points.get(key);
    points.set(key, known === undefined ? point : { ...known, copies: [...known.copies, ...point.copies] });
  }
  return [...points.values()].toSorted((a, b) => compare(a.timeNs, b.timeNs) || compare(a.identity, b.identity));
}

function pointsIn(found: FoundIn, proofOf: ProofOf): readonly RecoverablePoint[] {
  const { repository } = found;
  if ('snapshots' in found) return found.snapshots.flatMap((snapshot) => pointOf(snapshot, repository, proofOf) ?? []);
  const { component } = found;
  return found.external.map((point) => {
    const proof = proofOf(component, repository, point.identity);
    return { ...point, component, copies: [{ held: 'external', repository, point, proof }] };
  });
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
    endNs: endOf(snapshot),
    sizeBytes: snapshot.summary?.totalBytesProcessed,
    log: parseExtentText(tagged(snapshot, 'hf.log') ?? ''),
    copies: [{ held: 'repository', repository, snapshot, proof: proofOf(component, repository, identityOf(snapshot)) }],
  };
}

function endOf({ summary }: Snapshot): bigint | undefined {
  if (summary === undefined || summary.backupEnd === '') return undefined;
  try {
    return parseGoTime(summary.backupEnd);
  } catch (error) {
    if (hasCode(error, 'damaged')) return undefined; // foreign text
    throw error;
  }
}

/** Whether the newest verification of a copy found it wrong. */
export function isBad({ proof }: Pick<Copy, 'proof'>): boolean {
  return proof.state === 'failed';
}

/** A point of which no copy is left that nobody found wrong: nothing is to rest on it while there is another. */
export function isKnownBad({ copies }: Pick<RecoverablePoint, 'copies'>): boolean {
  return copies.length > 0 && copies.every(isBad);
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

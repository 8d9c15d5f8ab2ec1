import { parseGoTime } from '../bytes/go-time.ts';
import { HoldfastError } from '../errors/error.ts';
import type { RecordFacts, StoredRecord } from './record.ts';

/** What a person stated, and until when that is to be believed: what no program can know, such as where a disk lies. */
export interface Attestation {
  /** A component, or `wholeRepository` for the policy as a whole. */
  readonly component: string;
  /** What it is about: a newer one takes its place. */
  readonly about: string;
  readonly statement: string;
  /** Who stated it. */
  readonly by: string;
  readonly timeNs: bigint;
  readonly expiresNs: bigint;
}

export function attestationData({
  about,
  statement,
  expiresNs,
}: Pick<Attestation, 'about' | 'statement' | 'expiresNs'>): RecordFacts['data'] {
  return { about, statement, expires: Temporal.Instant.fromEpochNanoseconds(expiresNs).toString() };
}

/** Undefined of a record of another kind, and of one that states nothing that can be understood. */
export function attestationOf({ kind, component, actor, timeNs, data }: StoredRecord): Attestation | undefined {
  const { about, statement, expires } = data;
  if (kind !== 'attestation' || typeof about !== 'string' || typeof statement !== 'string') return undefined;
  const expiresNs = typeof expires === 'string' ? instantOf(expires) : undefined;
  return expiresNs === undefined ? undefined : { component, about, statement, by: actor.id, timeNs, expiresNs };
}

function instantOf(text: string): bigint | undefined {
  try {
    return parseGoTime(text);
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    return undefined;
  }
}

/** Of each component and what is stated about it the newest. */
export function newestAttestations(records: Iterable<StoredRecord>): readonly Attestation[] {
  const newest = new Map<string, Attestation>();
  for (const record of records) {
    const one = attestationOf(record);
    if (one === undefined) continue;
    const key = `${one.component} ${one.about}`;
    if ((newest.get(key)?.timeNs ?? -1n) <= one.timeNs) newest.set(key, one);
  }
  return [...newest.values()];
}

export function isExpired({ expiresNs }: Pick<Attestation, 'expiresNs'>, nowNs: bigint): boolean {
  return expiresNs <= nowNs;
}

import { textOf } from '../bytes/fields.ts';
import { parseGoTime } from '../bytes/go-time.ts';
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

/** Undefined of a record of another kind. */
export function attestationOf({ kind, component, actor, timeNs, data, name }: StoredRecord): Attestation | undefined {
  if (kind !== 'attestation') return undefined;
  return {
    component,
    about: textOf(data['about'], name),
    statement: textOf(data['statement'], name),
    by: actor.id,
    timeNs,
    expiresNs: parseGoTime(textOf(data['expires'], name)),
  };
}

export function isExpired({ expiresNs }: Pick<Attestation, 'expiresNs'>, nowNs: bigint): boolean {
  return expiresNs <= nowNs;
}

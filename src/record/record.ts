import type { Signer } from '../crypto/signature.ts';

/**
 * A record is a fact that is never changed: what was done, when, by whom, to which component. Records are sealed objects
 * of a repository, `holdfast/records/<component>/<writer>/<sequence>`: one chain for each writer and component. A
 * record carries its own full name, names the hash of the one before it, and is signed by its writer; so an edit, a
 * deletion, another order, a replay and a forgery each show. A cut tail shows by the heads: each chain's newest hash is
 * repeated in the component's other repositories.
 *
 * Two processes of one writer can't fork a chain: a sequence is created once, and who comes second reads the first and
 * goes on behind it. What can't be written waits in an outbox on this host and is written with the next record; its
 * time is that of the fact, its sequence that of the writing.
 *
 * A kill before the put leaves no record of a fact (the run itself shows in the repository); after it, the record. A
 * record is written after what it tells of is durable, never before.
 */
export interface RecordFacts {
  readonly kind: RecordKind;
  /** A component's name, or `wholeRepository`. */
  readonly component: string;
  /** Nanoseconds since 1970. */
  readonly timeNs: bigint;
  readonly actor: Actor;
  /** By its name in the policy. */
  readonly repository?: string | undefined;
  /** The hash of the plan that was executed. */
  readonly plan?: string | undefined;
  /** No secrets. A record of more than 64 KiB as JSON is written in short, and says so. */
  readonly data: Readonly<Record<string, unknown>>;
}

/** Where what acts on a whole repository, or on the policy, is chained: no component can have this name. */
export const wholeRepository = '@repository';

export const recordKinds = [
  'run',
  'log',
  'copy',
  'verification',
  'restore',
  'forget',
  'prune',
  'lock',
  'key',
  'access',
  'configuration',
  'approval',
  'attestation',
] as const;
export type RecordKind = (typeof recordKinds)[number];

export interface Actor {
  /** A user's name. */
  readonly id: string;
  /** `cli`, `daemon`, `cron` … */
  readonly via: string;
  readonly ip?: string | undefined;
  readonly mfa?: boolean | undefined;
}

/** A record as it was found in its chain. */
export interface StoredRecord extends RecordFacts {
  /** Its key in the storage. */
  readonly name: string;
  readonly writer: string;
  /** From 1. */
  readonly sequence: number;
  /** Of the record before; '' for the first. */
  readonly previous: string;
  /** SHA-256 of the object's plaintext, hex. */
  readonly hash: string;
  /** The public key that it says signed it, base64. */
  readonly signer: string;
}

/** Who writes: one on each host and state folder. */
export interface Writer {
  /** `[A-Za-z0-9._-]`, at most 100. */
  readonly id: string;
  readonly signer: Signer;
}

export const recordFolder = 'holdfast/records/';

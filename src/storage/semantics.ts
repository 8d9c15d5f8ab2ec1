import { createHash } from 'node:crypto';
import { HoldfastError } from '../errors/error.ts';
import type { Capabilities } from './storage.ts';

/** What stands under a key; undefined: nothing. */
export type State = Uint8Array | undefined;

/** A put (`after` is its bytes) or a removal. */
export interface Change {
  readonly key: string;
  readonly before: State;
  readonly after: State;
}

/**
 * What one kind of storage promises to a client that dies, and when its server loses power: that, and nothing more.
 * The contract (storage.ts) is what drivers make of it as long as both live.
 */
export interface Semantics {
  /** For people. */
  readonly name: string;
  readonly capabilities: Capabilities;
  /** Removing what isn't there. */
  readonly missing: 'storage-not-found' | 'done';
  /** 'held': there is nothing to do. Throws as the driver does where the server refuses. */
  readonly admit: (change: Change) => 'apply' | 'held';
  /** What may be there when nobody heard an answer: first the state before, last the one after. */
  readonly unconfirmed: (change: Change) => readonly State[];
  /** What may be left of a confirmed change when the server loses power right then. */
  readonly afterPowerLoss: (change: Change) => readonly State[];
}

const wholeOrNot = ({ before, after }: Change): readonly State[] => [before, after];
const forced = ({ after }: Change): readonly State[] => [after];

/** A file whose name reached the disk, and not all of its bytes. */
const torn = ({ before, after }: Change): readonly State[] =>
  after === undefined ? [before, after] : [before, new Uint8Array(), after.slice(0, after.length >> 1), after];

const capabilities: Capabilities = { ownPrefixes: true, conditionalCreate: true, lock: false, versions: false };

/**
 * A put is whole and durable once it is answered; its last part makes the object, so what an upload leaves without it
 * shows nowhere. Lists are consistent. A removal hides the object.
 */
export const s3Semantics: Semantics = {
  name: 'S3',
  capabilities,
  missing: 'done',
  admit: () => 'apply',
  unconfirmed: wholeOrNot,
  afterPowerLoss: forced,
};

/** OpenSSH: a temporary file is forced to disk, then renamed; so is its folder. */
export const sftpSemantics: Semantics = { ...s3Semantics, name: 'SFTP', missing: 'storage-not-found' };

/**
 * An SFTP server without OpenSSH's extensions: nothing is forced to disk, a name that is there has to be removed before
 * another file gets it, and nothing creates a name that must not be there in one step.
 */
export const bareSftpSemantics: Semantics = {
  ...sftpSemantics,
  name: 'SFTP without extensions',
  capabilities: { ...capabilities, conditionalCreate: false },
  unconfirmed: ({ before, after }) => (before && after ? [before, undefined, after] : [before, after]),
  afterPowerLoss: torn,
};

const fileName = /^(?:data\/([0-9a-f]{2})\/(?=\1)|(?:index|keys|locks|snapshots)\/)[0-9a-f]{64}$/;

/**
 * rest-server: restic's names only, each the hash of its bytes, none replaced. Uploads are forced to disk and renamed;
 * `config` is written in place, and neither it nor a removal is forced to disk.
 */
export const restSemantics: Semantics = {
  name: 'REST',
  capabilities: { ...capabilities, ownPrefixes: false, conditionalCreate: false },
  missing: 'done',
  admit: ({ key, before, after }) => {
    const isHeld = key === 'config' || fileName.test(key);
    if (after === undefined && !isHeld) throw new HoldfastError('storage-not-found', `${key} is no name of restic’s`);
    if (after === undefined) return 'apply';
    if (!isHeld) throw new HoldfastError('unsupported', `${key} is no name of restic’s`);
    if (before !== undefined && Buffer.compare(before, after) === 0) return 'held';
    if (before !== undefined) throw new HoldfastError('storage-exists', `${key} is there already`);
    if (key === 'config' || createHash('sha256').update(after).digest('hex') === key.slice(-64)) return 'apply';
    throw new HoldfastError('storage-failed', `${key} is not the hash of what was to be stored`);
  },
  unconfirmed: (change) => (change.key === 'config' ? torn(change) : wholeOrNot(change)),
  afterPowerLoss: (change) => {
    if (change.key === 'config') return torn(change);
    return change.after === undefined ? wholeOrNot(change) : forced(change);
  },
};

/** The same with --append-only: nothing but locks can be removed. */
export const appendOnlyRestSemantics: Semantics = {
  ...restSemantics,
  name: 'append-only REST',
  admit: (change) => {
    if (change.after !== undefined || change.key.startsWith('locks/')) return restSemantics.admit(change);
    throw new HoldfastError('storage-denied', `${change.key} can’t be removed from an append-only server`);
  },
};

import type { FileId } from '../bytes/ids.ts';
import type { ScryptParams } from '../crypto/key.ts';

export type Password = string | Uint8Array;

/** Who makes a key: shown by `key list`. */
export interface KeyOwner {
  readonly hostname: string;
  readonly username: string;
}

export interface NewKey extends KeyOwner {
  readonly password: Password;
  /** Cost of opening it; measured on this machine when left out, which takes a second or two. */
  readonly kdf?: ScryptParams | undefined;
}

export interface KeyInfo extends KeyOwner {
  readonly id: FileId;
  /** The key that opened the repository. */
  readonly current: boolean;
  /** RFC 3339, as stored. */
  readonly created: string;
}

/** The passwords of one repository: each key file holds the same master key under another password. */
export interface Keys {
  /** The key that opened the repository, or that replaced it. */
  readonly current: FileId;
  /** Readable keys in the order of their IDs; `onUnreadable` is told of the others. */
  list(onUnreadable: (id: FileId, error: Error) => void): Promise<readonly KeyInfo[]>;
  /** The master key, as JSON in restic's form: who has it needs no password any more. */
  show(): Uint8Array;
  /** Adds a password. The new key is durable, and has been opened with it, when this resolves. */
  add(wanted: NewKey): Promise<FileId>;
  /** Refuses the key in use: so one always remains. */
  remove(id: FileId): Promise<void>;
  /**
   * Replaces the password in use. A crash leaves the old key, or both, never none: the old one is removed after the
   * new one was read back.
   */
  changePassword(wanted: NewKey): Promise<FileId>;
}

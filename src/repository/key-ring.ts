import type { FileId } from '../bytes/ids.ts';
import { HoldfastError } from '../errors/error.ts';
import { keyOf, shortName } from './layout.ts';
import { openKey, readKeys, writeKey, type NewKey } from './keys.ts';
import { assertChangeable, type Session } from './session.ts';

export interface KeyInfo {
  readonly id: FileId;
  /** The key that opened the repository. */
  readonly current: boolean;
  readonly hostname: string;
  readonly username: string;
  /** RFC 3339, as stored. */
  readonly created: string;
}

/** The passwords of one repository: each key file holds the same master key under another password. */
export class KeyRing {
  readonly #session: Session;
  #current: FileId;

  constructor(session: Session, current: FileId) {
    this.#session = session;
    this.#current = current;
  }

  /** The key that opened the repository, or that replaced it. */
  get current(): FileId {
    return this.#current;
  }

  /** Readable keys in the order of their IDs; `onUnreadable` is told of the others. */
  async list(onUnreadable: (id: FileId, error: Error) => void): Promise<readonly KeyInfo[]> {
    const infos: KeyInfo[] = [];
    for (const { id, file } of await readKeys(this.#session.storage)) {
      if (file instanceof Error) onUnreadable(id, file);
      else
        infos.push({
          id,
          current: id === this.#current,
          hostname: file.hostname,
          username: file.username,
          created: file.created,
        });
    }
    return infos;
  }

  /** Adds a password. The new key is durable, and has been opened with it, when this resolves. */
  async add(wanted: NewKey): Promise<FileId> {
    const { storage, key, clock, config } = this.#session;
    assertChangeable(config);
    const id = await writeKey(storage, clock, key, wanted);
    await this.#prove(id, wanted);
    return id;
  }

  /** Refuses the key in use: so one always remains. */
  async remove(id: FileId): Promise<void> {
    if (id === this.#current) {
      throw new HoldfastError('refused', `${shortName('keys', id)} opened the repository and is not removed`, {
        next: 'Open the repository with another password to remove this one.',
      });
    }
    assertChangeable(this.#session.config);
    await this.#session.storage.remove(keyOf('keys', id));
  }

  /**
   * Replaces the password in use. A crash leaves the old key, or both, never none: the old one is removed after the
   * new one was read back.
   */
  async changePassword(wanted: NewKey): Promise<FileId> {
    const old = this.#current;
    this.#current = await this.add(wanted);
    await this.remove(old);
    return this.#current;
  }

  /** A key that doesn't open would lock its owner out: it is taken back. */
  async #prove(id: FileId, { password }: NewKey): Promise<void> {
    const { storage, key } = this.#session;
    try {
      const master = await openKey(storage, id, password);
      if (Buffer.compare(master.encrypt, key.encrypt) !== 0) throw new Error('it holds another master key');
    } catch (cause) {
      await storage.remove(keyOf('keys', id));
      throw new HoldfastError('internal', `the new ${shortName('keys', id)} does not open, and was removed again`, {
        cause,
      });
    }
  }
}

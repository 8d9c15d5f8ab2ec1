import type { FileId } from '../bytes/ids.ts';
import { masterJson, type KeyFile } from '../crypto/key.ts';
import { HoldfastError } from '../errors/error.ts';
import { keyOf, shortName } from './layout.ts';
import { openKey, readKeys, writeKey } from './keys.ts';
import type { KeyInfo, Keys, NewKey } from './passwords.ts';
import { assertChangeable, type Session } from './session.ts';

/** The keys of an opened repository. */
export class KeyRing implements Keys {
  readonly #session: Session;
  #current: FileId;

  constructor(session: Session, current: FileId) {
    this.#session = session;
    this.#current = current;
  }

  get current(): FileId {
    return this.#current;
  }

  async list(onUnreadable: (id: FileId, error: Error) => void): Promise<readonly KeyInfo[]> {
    const infos: KeyInfo[] = [];
    for (const { id, file } of await readKeys(this.#session.storage)) {
      if (file instanceof Error) onUnreadable(id, file);
      else infos.push(this.#describe(id, file));
    }
    return infos;
  }

  #describe(id: FileId, { hostname, username, created }: KeyFile): KeyInfo {
    return { id, current: id === this.#current, hostname, username, created };
  }

  show(): Uint8Array {
    return masterJson(this.#session.key);
  }

  async add(wanted: NewKey): Promise<FileId> {
    const { storage, key, clock, config } = this.#session;
    assertChangeable(config);
    const id = await writeKey(storage, clock, key, wanted);
    await this.#prove(id, wanted);
    return id;
  }

  async remove(id: FileId): Promise<void> {
    if (id === this.#current) {
      throw new HoldfastError('refused', `${shortName('keys', id)} opened the repository and is not removed`, {
        next: 'Open the repository with another password to remove this one.',
      });
    }
    assertChangeable(this.#session.config);
    await this.#session.storage.remove(keyOf('keys', id));
  }

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
      const after = await this.#takeBack(id);
      const isOurs = !(cause instanceof HoldfastError) || cause.code === 'wrong-password';
      const why = cause instanceof Error ? cause.message : String(cause);
      const message = `the new ${shortName('keys', id)} does not open: ${why}; ${after}`;
      throw new HoldfastError(isOurs ? 'internal' : cause.code, message, { cause });
    }
  }

  /** Resolves with what became of it. */
  async #takeBack(id: FileId): Promise<string> {
    try {
      await this.#session.storage.remove(keyOf('keys', id));
      return 'it was removed again';
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
      return `nor can it be removed again: ${error.message}`;
    }
  }
}

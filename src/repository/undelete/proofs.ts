import type { FileId } from '../../bytes/ids.ts';
import { fileIdFor } from '../../crypto/id.ts';
import { open } from '../../crypto/seal.ts';
import { hasCode } from '../../errors/error.ts';
import { hashOf, rightVersion, versionNamed } from '../../storage/as-of.ts';
import type { VersionInfo, Versions } from '../../storage/versions.ts';
import { decodeConfig } from '../config.ts';
import { decodeHeader, readSealedHeader } from '../pack.ts';
import type { SealedKind } from '../repository.ts';
import type { Session } from '../session.ts';
import { maxStoredBytes } from '../size-limits.ts';
import { decodeUnpacked } from '../unpacked.ts';

/** What shows that a version is the repository's own: its hash, and that the repository's key sealed it. */
export class Proofs {
  readonly #versions: Versions;
  readonly #session: Pick<Session, 'key' | 'config'>;
  readonly #signal: AbortSignal;

  constructor(versions: Versions, session: Pick<Session, 'key' | 'config'>, signal: AbortSignal) {
    this.#versions = versions;
    this.#session = session;
    this.#signal = signal;
  }

  /** Of what an object may have been, what it was; see `asOfView`. */
  async rightOf(candidates: readonly VersionInfo[]): Promise<VersionInfo | undefined> {
    return await rightVersion(this.#versions, candidates, { signal: this.#signal });
  }

  async named(candidates: readonly VersionInfo[]): Promise<VersionInfo | undefined> {
    return await versionNamed(this.#versions, candidates, { signal: this.#signal });
  }

  /** Two versions of one object. */
  async areAlike(one: VersionInfo, other: VersionInfo): Promise<boolean> {
    if (one.version === other.version) return true;
    if (one.sizeBytes !== other.sizeBytes) return false;
    if (one.sum !== undefined && one.sum === other.sum) return true;
    const wait = { signal: this.#signal };
    return (await hashOf(this.#versions, one, wait)) === (await hashOf(this.#versions, other, wait));
  }

  /** The plaintext of a sealed file; undefined where it is something else. */
  async plaintextOf(kind: SealedKind, id: FileId, info: VersionInfo): Promise<Uint8Array | undefined> {
    if (info.sizeBytes > maxStoredBytes[kind]) return undefined;
    return await this.#whereSound(async () => {
      const stored = await this.#versions.get(info.key, info.version, { signal: this.#signal });
      if (fileIdFor(stored) !== id) return undefined;
      const { key, config } = this.#session;
      return decodeUnpacked(config.version, kind, open(key, stored), info.key);
    });
  }

  /** Of an object below `holdfast/`, which is written once: the oldest that the repository's key sealed. */
  async ownOf(candidates: readonly VersionInfo[]): Promise<VersionInfo | undefined> {
    for (const candidate of candidates.toReversed()) {
      const { key, version, sizeBytes } = candidate;
      if (sizeBytes > maxStoredBytes.index) continue;
      const plaintext = await this.#whereSound(async () =>
        open(this.#session.key, await this.#versions.get(key, version, { signal: this.#signal })),
      );
      if (plaintext) return candidate;
    }
    return undefined;
  }

  /** Whether a version is a config of this repository. */
  async isConfig({ key, version, sizeBytes }: VersionInfo): Promise<boolean> {
    if (sizeBytes > maxStoredBytes.keys) return false;
    const config = await this.#whereSound(async () => {
      const stored = await this.#versions.get(key, version, { signal: this.#signal });
      return decodeConfig(open(this.#session.key, stored));
    });
    return config?.id === this.#session.config.id;
  }

  /**
   * Whether the header of a pack is the repository's; the blobs are not read. 'archived': that can't be known before it
   * is brought back from where reading takes hours.
   */
  async judgePack({ key, version, sizeBytes }: VersionInfo): Promise<'own' | 'foreign' | 'archived'> {
    try {
      const blobs = await this.#whereSound(async () => {
        const { sealed, offset } = await readSealedHeader(sizeBytes, (at, length) =>
          this.#versions.get(key, version, { range: { offset: at, length }, signal: this.#signal }),
        );
        return decodeHeader(open(this.#session.key, sealed), offset);
      });
      return blobs === undefined ? 'foreign' : 'own';
    } catch (error) {
      if (hasCode(error, 'storage-archived')) return 'archived';
      throw error;
    }
  }

  async #whereSound<T>(read: () => Promise<T>): Promise<T | undefined> {
    try {
      return await read();
    } catch (error) {
      if (hasCode(error, 'damaged', 'unsupported', 'storage-not-found')) return undefined;
      throw error;
    }
  }
}

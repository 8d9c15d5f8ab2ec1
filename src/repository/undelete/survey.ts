import type { FileId } from '../../bytes/ids.ts';
import { candidatesAt } from '../../storage/as-of.ts';
import { isLockable, type VersionInfo } from '../../storage/versions.ts';
import { indexedPacks, type IndexedPack } from '../index-file.ts';
import { configKey, idOf, keyOf } from '../layout.ts';
import { ownFolder } from '../own-object.ts';
import type { FileKind } from '../repository.ts';
import { maxStoredBytes } from '../size-limits.ts';
import type { Hiding, Lost, Storing, Uncovering, UndeletePlan } from '../undelete.ts';
import type { Proofs } from './proofs.ts';

/** An object of the repository: all its versions, newest first. */
type Versioned = readonly [VersionInfo, ...VersionInfo[]];

interface NamedFile {
  readonly kind: FileKind;
  readonly id: FileId;
}

/** Judges one object after another, packs last, and gathers what has to be done. */
export class Survey {
  readonly #proofs: Proofs;
  readonly #timeNs: bigint;
  readonly #uncover: Uncovering[] = [];
  readonly #store: Storing[] = [];
  readonly #hide: Hiding[] = [];
  readonly #kept = new Map<FileId, Uint8Array>();
  readonly #leftHidden: string[] = [];
  readonly #lost: Lost[] = [];
  /** Packs that an index will name and that were not come upon yet, and whether they hold data alone. */
  readonly #wanted = new Map<FileId, boolean>();

  constructor(proofs: Proofs, timeNs: bigint) {
    this.#proofs = proofs;
    this.#timeNs = timeNs;
  }

  async judge(object: Versioned): Promise<void> {
    const [{ key }] = object;
    const candidates = candidatesAt(object, this.#timeNs);
    if (key === configKey) return await this.#judgeConfig(object, candidates);
    if (key.startsWith(ownFolder)) return await this.#judgeOwnObject(object, candidates);
    const file = fileAt(key);
    if (file === undefined) return;
    if (key !== keyOf(file.kind, file.id)) return this.#hideStray(object, candidates);
    if (file.kind === 'locks') return await this.#judgeLock(file, object);
    if (candidates.length > 0) return await this.#judgeOld(file, object, candidates);
    await this.#judgeNew(file, object);
  }

  plan(): UndeletePlan {
    for (const id of this.#wanted.keys())
      this.#lost.push({ key: keyOf('data', id), problem: 'an index names it, and no version of it is there' });
    return {
      timeNs: this.#timeNs,
      uncover: this.#uncover.toSorted(byKey),
      store: this.#store.toSorted(byKey),
      hide: this.#hide.toSorted(byKey),
      kept: this.#kept,
      leftHidden: this.#leftHidden.toSorted(),
      lost: this.#lost.toSorted(byKey),
    };
  }

  /** One that was changed since by somebody with the key stays; an earlier one that was put back doesn't. */
  async #judgeConfig(object: Versioned, candidates: readonly VersionInfo[]): Promise<void> {
    const [latest] = object;
    const right = await this.#proofs.rightOf(candidates);
    if (right === undefined) return;
    const isNew = !latest.deleted && latest.modifiedNs > this.#timeNs;
    if (isNew && (await this.#proofs.isConfig(latest)) && !(await this.#isAmong(candidates, latest))) return;
    await this.#bring(object, right);
  }

  async #isAmong(candidates: readonly VersionInfo[], one: VersionInfo): Promise<boolean> {
    for (const candidate of candidates) if (await this.#proofs.areAlike(candidate, one)) return true;
    return false;
  }

  /** What comes and goes with every run is left to those runs. Its name is no hash: one alone is taken for right. */
  async #judgeOwnObject(object: Versioned, candidates: readonly VersionInfo[]): Promise<void> {
    const [{ key, deleted }] = object;
    const wasThere = candidates.length > 0;
    if (!isLockable(key) || (deleted && !wasThere)) return;
    const held = object.filter((one) => !one.deleted);
    const wasRemoved = !wasThere && object.some(({ modifiedNs }) => modifiedNs <= this.#timeNs);
    const right = wasRemoved ? undefined : wasThere && held.length === 1 ? held[0] : await this.#proofs.ownOf(held);
    if (right) await this.#bring(object, right);
    else if (wasThere) this.#lost.push({ key, problem: 'no version of it was sealed by this repository' });
    else this.#hide.push({ key, why: wasRemoved ? 'removed' : 'foreign' });
  }

  #hideStray([{ key, deleted }]: Versioned, candidates: readonly VersionInfo[]): void {
    if (!deleted && candidates.length === 0) this.#hide.push({ key, why: 'foreign' });
  }

  /** Who held a lock then does so no more; what looks like one and isn't keeps everybody out. */
  async #judgeLock({ id }: NamedFile, [latest]: Versioned): Promise<void> {
    if (latest.deleted || (await this.#proofs.plaintextOf('locks', id, latest)) !== undefined) return;
    this.#hide.push({ key: latest.key, why: 'foreign' });
  }

  async #judgeOld(file: NamedFile, object: Versioned, candidates: readonly VersionInfo[]): Promise<void> {
    const right = await this.#proofs.rightOf(heldOf(file, candidates));
    if (right !== undefined && (await this.#isNoted(file, right))) return await this.#bring(object, right, file);
    this.#wanted.delete(file.id);
    this.#lost.push({ key: object[0].key, problem: 'no version of then has the hash that it is named by' });
  }

  async #judgeNew(file: NamedFile, object: Versioned): Promise<void> {
    const [{ key, deleted }] = object;
    const isWanted = file.kind === 'data' && this.#wanted.has(file.id);
    const wasRemoved = object.some(({ modifiedNs }) => modifiedNs <= this.#timeNs);
    if (isWanted) {
      const right = await this.#own(file, object);
      if (right) await this.#bring(object, right, file);
    } else if (deleted) {
      if (!wasRemoved && (file.kind === 'snapshots' || file.kind === 'index')) this.#leftHidden.push(key);
    } else if (wasRemoved) this.#hide.push({ key, why: 'removed' });
    else if (file.kind === 'keys')
      this.#hide.push({ key, why: (await this.#named(file, object)) ? 'unproven' : 'foreign' });
    else {
      const right = await this.#own(file, object);
      if (right) await this.#keep(file, object, right);
      else this.#hide.push({ key, why: 'foreign' });
    }
  }

  async #keep(file: NamedFile, object: Versioned, right: VersionInfo): Promise<void> {
    await this.#isNoted(file, right);
    const plaintext =
      file.kind === 'snapshots' ? await this.#proofs.plaintextOf('snapshots', file.id, right) : undefined;
    if (plaintext) this.#kept.set(file.id, plaintext);
    await this.#bring(object, right, file);
  }

  /** The version that this repository's key made, whoever wrote over it. */
  async #own(file: NamedFile, object: Versioned): Promise<VersionInfo | undefined> {
    const { kind, id } = file;
    const [only, ...others] = heldOf(file, object);
    if (kind === 'data' && others.length === 0) return only && (await this.#isOwnPack(id, only)) ? only : undefined;
    const named = await this.#named(file, object);
    if (named === undefined || kind === 'keys') return undefined;
    const isOwn = kind === 'data' ? this.#isOwnPack(id, named) : this.#proofs.plaintextOf(kind, id, named);
    return (await isOwn) ? named : undefined;
  }

  /** Of what can't be read an index is believed. */
  async #isOwnPack(id: FileId, version: VersionInfo): Promise<boolean> {
    const judgement = await this.#proofs.judgePack(version);
    return judgement === 'own' || (judgement === 'archived' && this.#wanted.has(id));
  }

  async #named(file: NamedFile, object: Versioned): Promise<VersionInfo | undefined> {
    return await this.#proofs.named(heldOf(file, object));
  }

  /** An index tells which packs are needed. False where it can't be read. */
  async #isNoted({ kind, id }: NamedFile, version: VersionInfo): Promise<boolean> {
    if (kind !== 'index') return true;
    const plaintext = await this.#proofs.plaintextOf('index', id, version);
    if (plaintext === undefined) return false;
    for (const pack of indexedPacks(plaintext, version.key)) this.#wanted.set(pack.id, holdsData(pack));
    return true;
  }

  async #bring(object: Versioned, right: VersionInfo, file?: NamedFile): Promise<void> {
    const rarelyRead = file !== undefined && this.#wanted.get(file.id) === true;
    if (file) this.#wanted.delete(file.id);
    const at = object.findIndex(({ deleted }) => !deleted);
    const top = object[at];
    const { key, version, sizeBytes } = right;
    if (top === undefined || !(await this.#proofs.areAlike(top, right))) {
      this.#store.push({ key, version, sizeBytes, rarelyRead });
    } else if (at > 0) {
      const markers = object.slice(0, at).map((marker) => marker.version);
      this.#uncover.push({ key, version: top.version, sizeBytes, markers });
    }
  }
}

/** Versions that may be such a file: what is larger than any is not read. */
function heldOf({ kind }: NamedFile, object: readonly VersionInfo[]): readonly VersionInfo[] {
  const maxBytes = kind === 'data' ? Infinity : maxStoredBytes[kind];
  return object.filter(({ deleted, sizeBytes }) => !deleted && sizeBytes <= maxBytes);
}

function byKey(one: { readonly key: string }, other: { readonly key: string }): number {
  return one.key < other.key ? -1 : 1;
}

function holdsData({ blobs }: IndexedPack): boolean {
  return blobs.every(({ type }) => type === 'data');
}

/** What a client of the format takes a key for: undefined for what none looks at. */
function fileAt(key: string): NamedFile | undefined {
  const id = idOf(key);
  const kind = kinds.find((one) => key.startsWith(`${one}/`));
  return kind && id && { kind, id };
}

const kinds: readonly FileKind[] = ['data', 'index', 'keys', 'locks', 'snapshots'];

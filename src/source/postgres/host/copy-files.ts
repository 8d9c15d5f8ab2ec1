import { lstatSync, type BigIntStats } from 'node:fs';
import { displayPath, systemPath, type RawPath } from '../../../bytes/ids.ts';
import { hasCode, HoldfastError } from '../../../errors/error.ts';
import type { Listener } from '../../../events/events.ts';
import type { Content, PageChecks, StoredContent } from '../../../repository/content.ts';
import { cutOf, isRelation, wholeBytes } from '../placing.ts';
import type { Arrived, Spool } from '../spool.ts';
import { unreadable, type Listed } from './listing.ts';
import type { HeldFile, Parent } from './parent.ts';

export interface CopyOptions {
  readonly spool: Spool;
  readonly store: (content: Content) => Promise<StoredContent>;
  readonly cutBefore: (path: RawPath) => Promise<number | undefined>;
  readonly parent: Parent | undefined;
  /** Whether a file that the parent holds has not changed since. */
  readonly isUnchanged: (stat: BigIntStats, held: HeldFile) => boolean;
  readonly listener: Listener;
  readonly signal: AbortSignal;
  readonly clusterBytes: number;
  /** undefined: the cluster has no checksums. */
  readonly checks: RelationChecks | undefined;
}

export interface RelationChecks {
  readonly pageBytes: number;
  readonly blocksPerFile: number;
  /** Where the backup began: what was written later the log brings anew. */
  readonly before: bigint;
}

interface WrongPage {
  readonly path: RawPath;
  readonly block: number;
}

interface Known {
  readonly crc32c: number;
  readonly stored: StoredContent;
}

/** Files wait for their batches and workers: of each no more than its name is in memory. */
const mostPending = 1024;
const mostWrongTold = 100;
const tellEachBytes = 64 * 2 ** 20;

/** Has the workers read files and notes what became of each; as many at a time as they take. */
export class Copying {
  readonly #options: CopyOptions;
  readonly #pending = new Set<Promise<void>>();
  readonly #wrong: WrongPage[] = [];
  #wrongCount = 0;
  #failure: { readonly error: unknown } | undefined;
  #done = { files: 0, bytes: 0, told: 0 };

  constructor(options: CopyOptions) {
    this.#options = options;
  }

  /** Pages whose checksum is wrong, of everything that is stored so far: the first of them, and how many there are. */
  get wrongPages(): { readonly first: readonly WrongPage[]; readonly count: number } {
    return { first: this.#wrong, count: this.#wrongCount };
  }

  /** Resolves when another one may come. */
  async take(listed: Listed): Promise<void> {
    this.#options.signal.throwIfAborted();
    if (listed.type === 'dir') return this.#options.spool.addFolder(arrivedAt(listed));
    const held = await this.#options.parent?.find(listed.path);
    const kept = this.#keptOf(listed, held);
    if (kept !== undefined) return this.#note(listed, kept);
    const content = await this.#contentOf(listed, held);
    const noted: Promise<void> = this.#copy(listed, content)
      .catch((error: unknown) => void (this.#failure ??= { error }))
      .finally(() => this.#pending.delete(noted));
    this.#pending.add(noted);
    while (this.#pending.size >= mostPending) await Promise.race(this.#pending);
    this.#throwFailure();
  }

  /** Everything that came so far is stored and spooled. */
  async settled(): Promise<void> {
    await Promise.all(this.#pending);
    this.#throwFailure();
  }

  /** What needs no reading: what has not changed, and what is empty. */
  #keptOf({ stat }: Listed, held: HeldFile | undefined): Known | undefined {
    const nothingNew = { newBlobs: 0, newBytes: 0, storedBytes: 0 };
    if (stat.size === 0n) return { crc32c: 0, stored: { ...nothingNew, ids: [], sizeBytes: 0 } };
    if (held?.ids === undefined || held.crc32c === undefined || !this.#options.isUnchanged(stat, held))
      return undefined;
    return { crc32c: held.crc32c, stored: { ...nothingNew, ids: held.ids, sizeBytes: held.sizeBytes } };
  }

  /** Only so much as it had when it was listed: what has been added since the log brings. */
  async #contentOf({ path, place, stat }: Listed, held: HeldFile | undefined): Promise<Content> {
    const sizeBytes = Number(stat.size);
    const before = this.#options.parent === undefined ? await this.#options.cutBefore(path) : held?.cutBytes;
    const cut = cutOf(path, this.#options.clusterBytes, before);
    const whole = cut === 'rabin' && sizeBytes <= wholeBytes(cut) ? { pagesBytes: wholeBytes(cut) } : cut;
    const { checks } = this.#options;
    const pages = checks === undefined || !isRelation(path) ? undefined : pagesOf(path, checks);
    return { kind: 'live-file', path: place, sizeBytes, cut: whole, pages };
  }

  async #copy(listed: Listed, content: Content): Promise<void> {
    const stored = await this.#stored(listed, content);
    if (stored === undefined) return;
    const { read, sizeBytes } = stored;
    if (read === undefined || sizeBytes !== Number(listed.stat.size))
      throw new HoldfastError('internal', `${displayPath(listed.path)} was not stored whole`);
    const told = read.wrongBlocks.slice(0, mostWrongTold - this.#wrong.length);
    this.#wrong.push(...told.map((block) => ({ path: listed.path, block })));
    this.#wrongCount += read.wrongBlocks.length;
    this.#note(listed, { crc32c: read.crc32c, stored });
  }

  #note(listed: Listed, { crc32c, stored }: Known): void {
    const { sizeBytes } = stored;
    this.#options.spool.addFile({ ...arrivedAt(listed), crc32c, sizeBytes, stored });
    this.#tell(sizeBytes);
  }

  /** undefined: it was dropped before it was read, and the log says so. */
  async #stored({ place }: Listed, content: Content): Promise<StoredContent | undefined> {
    try {
      return await this.#options.store(content);
    } catch (error) {
      this.#options.signal.throwIfAborted();
      if (!hasCode(error, 'source-failed')) throw error;
      if (lstatSync(systemPath(place), { throwIfNoEntry: false }) === undefined) return undefined;
      throw unreadable(place, error);
    }
  }

  #tell(bytes: number): void {
    const done = this.#done;
    this.#done = { files: done.files + 1, bytes: done.bytes + bytes, told: done.told };
    if (this.#done.bytes - done.told < tellEachBytes) return;
    this.#done.told = this.#done.bytes;
    const { clusterBytes: totalBytes, listener } = this.#options;
    const { bytes: doneBytes, files: doneItems } = this.#done;
    listener({ kind: 'progress', phase: 'reading', doneBytes, doneItems, totalBytes });
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}

/** `16384.2` is the third file of its relation. */
function pagesOf(path: RawPath, { pageBytes, blocksPerFile, before }: RelationChecks): PageChecks {
  const number = Number(/\.(\d+)$/.exec(path)?.[1] ?? 0);
  return { pageBytes, firstBlock: number * blocksPerFile, before };
}

export function arrivedAt({ path, type, stat }: Pick<Listed, 'path' | 'type' | 'stat'>): Arrived {
  return {
    path,
    type,
    mode: Number(stat.mode & 0o7777n),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    mtimeNs: stat.mtimeNs,
    identity: identityOf(stat),
  };
}

function identityOf({ ctimeNs, ino, dev }: BigIntStats): NonNullable<Arrived['identity']> {
  return { ctimeNs, inode: BigInt.asUintN(64, ino), deviceId: BigInt.asUintN(64, dev) };
}

import { displayPath, type RawPath } from '../../bytes/ids.ts';
import { joinPath } from '../../bytes/unix-path.ts';
import { HoldfastError } from '../../errors/error.ts';
import type { Listener } from '../../events/events.ts';
import type { Content, Cut, StoredContent } from '../../repository/content.ts';
import { crc32c } from '../../bytes/crc32c.ts';
import { cutOf, isLeftOut, isRelation, wholeBytes } from './placing.ts';
import { labelName, mergedLabel, NotInParent, wholeName, type IncrementalBase } from './incremental/base.ts';
import { readIncrement } from './incremental/increment.ts';
import { patch } from './incremental/patch.ts';
import type { Arrived, ArrivedFile, Spool } from './spool.ts';
import { tarMembers, type TarMember } from './tar.ts';

/** So many contents are stored at a time; what is small among them is in memory. */
const mostPending = 32;
const tellEachBytes = 16 * 2 ** 20;

export interface ReceiverOptions {
  readonly spool: Spool;
  readonly store: (content: Content) => Promise<StoredContent>;
  readonly listener: Listener;
  /** How a file of the data directory was cut before. */
  readonly cutBefore: (path: RawPath) => Promise<number | undefined>;
  /** What an incremental backup is put into; undefined of one that comes as a whole. */
  readonly base?: IncrementalBase | undefined;
}

/** Takes the files of a base backup as they come: their contents are stored, what is known of them is spooled. */
export class Receiver {
  readonly #options: ReceiverOptions;
  readonly #pending = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | undefined;
  #owner: Pick<Arrived, 'uid' | 'gid'> = { uid: 0, gid: 0 };
  #clusterBytes = 0;
  #merged: ArrivedFile | undefined;
  #bytes = 0;
  #files = 0;
  #toldBytes = 0;

  constructor(options: ReceiverOptions) {
    this.#options = options;
  }

  /** Whose files these are. */
  get owner(): Pick<Arrived, 'uid' | 'gid'> {
    return this.#owner;
  }

  expect(clusterBytes: number): void {
    this.#clusterBytes = clusterBytes;
  }

  /** One tar file: of the data directory, or of a tablespace, whose files go below pg_tblspc. */
  async archive(bytes: AsyncIterable<Uint8Array>, tablespace: string | undefined): Promise<void> {
    const folder = tablespace === undefined ? '' : `pg_tblspc/${tablespace}`;
    for await (const member of tarMembers(bytes)) {
      const path = joinPath(folder, member.path);
      if (member.type === 'file') await this.#file(path, member);
      else if (member.type === 'dir') this.#folder(path, member);
      else this.#link(path, member);
    }
  }

  /** A file that is no part of the data directory's tar files, of which nothing is known but its bytes. */
  async file(arrived: Arrived, data: AsyncIterable<Uint8Array>): Promise<void> {
    await this.#large(arrived, data, 'rabin');
  }

  folder(arrived: Arrived): void {
    if (!this.#options.spool.has(arrived.path)) this.#options.spool.addFolder(arrived);
  }

  /** Everything that came so far is stored and spooled. */
  async settled(): Promise<void> {
    while (this.#pending.size > 0) await Promise.race(this.#pending);
    this.#throwFailure();
  }

  #folder(path: RawPath, member: TarMember): void {
    this.folder(arrivedAt(path, member, 'dir'));
  }

  /** Where a tablespace lies is told elsewhere: in the snapshot it is a folder, so that no copy leads to production's. */
  #link(path: RawPath, member: TarMember): void {
    if (!/^pg_tblspc\/\d+$/.test(path))
      throw new HoldfastError('source-failed', `the server sent a link that is no tablespace: ${displayPath(path)}`);
    this.folder({ ...arrivedAt(path, member, 'dir'), mode: 0o700 });
  }

  async #file(path: RawPath, member: TarMember): Promise<void> {
    const arrived = arrivedAt(path, member, 'file');
    if (path === 'PG_VERSION') this.#owner = { uid: arrived.uid, gid: arrived.gid };
    const { base } = this.#options;
    const whole = base && wholeName(path);
    if (whole !== undefined) return await this.#increment(arrived, { ...arrived, path: whole }, member.data);
    if (base !== undefined && path === labelName) return await this.#label(arrived, member.data);
    if (isLeftOut(path)) return await this.#readOnly(arrived, member.data);
    const before = isRelation(path) && member.sizeBytes > 0 ? await this.#options.cutBefore(path) : undefined;
    const cut = cutOf(path, this.#clusterBytes, before);
    if (member.sizeBytes <= wholeBytes(cut)) await this.#small(arrived, member.data);
    else await this.#large(arrived, member.data, cut);
  }

  /** What changed of a segment, put into the parent's: the one is in the server's manifest, the other in the snapshot. */
  async #increment(arrived: Arrived, whole: Arrived, data: AsyncIterable<Uint8Array>): Promise<void> {
    const { base, spool, store } = this.#options;
    const sum = new Sum();
    const increment = await readIncrement(summed(data, sum));
    const before = await base?.before(whole.path, this.#clusterBytes);
    if (before === undefined) throw new NotInParent(whole.path);
    const patched = await patch(before, increment, store);
    spool.addFile({ ...arrived, ...sum.facts(), stored: undefined });
    spool.replace({ ...whole, ...patched });
    this.#tell(sum.bytes);
  }

  /** Without the lines that make a server refuse to start from it before it is merged. */
  async #label(arrived: Arrived, data: AsyncIterable<Uint8Array>): Promise<void> {
    const sum = new Sum();
    const pieces = await Array.fromAsync(summed(data, sum));
    const bytes = mergedLabel(Buffer.concat(pieces));
    const stored = await this.#options.store({ kind: 'bytes', bytes });
    this.#options.spool.addFile({ ...arrived, ...sum.facts(), stored: undefined });
    this.#merged = { ...arrived, crc32c: crc32c(0, bytes), sizeBytes: bytes.length, stored };
  }

  /** Once what arrived was held against the server's manifest. */
  finishMerge(): void {
    if (this.#merged !== undefined) this.#options.spool.replace(this.#merged);
  }

  /** It is listed by the manifest all the same. */
  async #readOnly(arrived: Arrived, data: AsyncIterable<Uint8Array>): Promise<void> {
    const sum = new Sum();
    for await (const piece of data) sum.add(piece);
    this.#options.spool.addFile({ ...arrived, ...sum.facts(), stored: undefined });
  }

  async #small(arrived: Arrived, data: AsyncIterable<Uint8Array>): Promise<void> {
    const bytes = Buffer.concat(await Array.fromAsync(data));
    const stored = this.#options.store({ kind: 'bytes', bytes });
    const crc = crc32c(0, bytes);
    await this.#begin(arrived, bytes.length, stored, () => crc);
  }

  /** Resolves once its bytes are read, which may be long before they are stored. A worker sums them up. */
  async #large(arrived: Arrived, data: AsyncIterable<Uint8Array>, cut: Cut): Promise<void> {
    const read = Promise.withResolvers<void>();
    const counted = new Counted(data, read.resolve);
    const stored = this.#options.store({ kind: 'stream', stream: counted, cut, look: 'crc32c' });
    await Promise.race([read.promise, stored]);
    await this.#begin(arrived, counted.bytes, stored, ({ read: seen }) => seen?.crc32c);
  }

  async #begin(
    arrived: Arrived,
    sizeBytes: number,
    stored: Promise<StoredContent>,
    crcOf: (stored: StoredContent) => number | undefined,
  ): Promise<void> {
    const noted: Promise<void> = stored
      .then((outcome) => this.#note({ ...arrived, sizeBytes }, crcOf(outcome), outcome))
      .catch((error: unknown) => void (this.#failure ??= { error }))
      .finally(() => this.#pending.delete(noted));
    this.#pending.add(noted);
    while (this.#pending.size >= mostPending) await Promise.race(this.#pending);
    this.#throwFailure();
    this.#tell(sizeBytes);
  }

  #note(arrived: Omit<ArrivedFile, 'crc32c' | 'stored'>, crc: number | undefined, stored: StoredContent): void {
    if (stored.sizeBytes !== arrived.sizeBytes || crc === undefined)
      throw new HoldfastError('internal', `${displayPath(arrived.path)} was not stored whole`);
    this.#options.spool.addFile({ ...arrived, crc32c: crc, stored });
  }

  #tell(bytes: number): void {
    this.#bytes += bytes;
    this.#files += 1;
    if (this.#bytes - this.#toldBytes < tellEachBytes) return;
    this.#toldBytes = this.#bytes;
    const total = this.#clusterBytes === 0 ? {} : { totalBytes: this.#clusterBytes };
    const done = { doneBytes: this.#bytes, doneItems: this.#files };
    this.#options.listener({ kind: 'progress', phase: 'receiving', ...done, ...total });
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}

/** What passed by: its length and CRC-32C. */
class Sum {
  bytes = 0;
  #crc32c = 0;

  add(piece: Uint8Array): void {
    this.#crc32c = crc32c(this.#crc32c, piece);
    this.bytes += piece.length;
  }

  facts(): { readonly crc32c: number; readonly sizeBytes: number } {
    return { crc32c: this.#crc32c, sizeBytes: this.bytes };
  }
}

async function* summed(data: AsyncIterable<Uint8Array>, sum: Sum): AsyncGenerator<Uint8Array> {
  for await (const piece of data) {
    sum.add(piece);
    yield piece;
  }
}

/**
 * Bytes that somebody else sums up. That they ended is told just when their last reader hears it, so that the memory which
 * the pipeline holds of them is the next file's as well.
 */
class Counted implements AsyncIterableIterator<Uint8Array> {
  bytes = 0;
  readonly #data: AsyncIterator<Uint8Array>;
  readonly #onEnd: () => void;

  constructor(data: AsyncIterable<Uint8Array>, onEnd: () => void) {
    this.#data = data[Symbol.asyncIterator]();
    this.#onEnd = onEnd;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    return this.#data.next().then((result) => {
      if (result.done === true) this.#onEnd();
      else this.bytes += result.value.length;
      return result;
    });
  }
}

function arrivedAt(path: RawPath, { mode, uid, gid, mtimeNs }: TarMember, type: Arrived['type']): Arrived {
  return { path, type, mode, uid, gid, mtimeNs };
}

import { displayPath, type RawPath } from '../../bytes/ids.ts';
import { joinPath } from '../../bytes/unix-path.ts';
import { HoldfastError } from '../../errors/error.ts';
import type { Listener } from '../../events/events.ts';
import type { Content, Cut, StoredContent } from '../../repository/content.ts';
import { crc32c } from '../../bytes/crc32c.ts';
import { cutOf, isLeftOut, isRelation, wholeBytes } from './placing.ts';
import type { Arrived, Spool } from './spool.ts';
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
}

/** Takes the files of a base backup as they come: their contents are stored, what is known of them is spooled. */
export class Receiver {
  readonly #options: ReceiverOptions;
  readonly #pending = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | undefined;
  #owner: Pick<Arrived, 'uid' | 'gid'> = { uid: 0, gid: 0 };
  #clusterBytes = 0;
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
    if (isLeftOut(path)) return await this.#readOnly(arrived, member.data);
    const before = isRelation(path) && member.sizeBytes > 0 ? await this.#options.cutBefore(path) : undefined;
    const cut = cutOf(path, this.#clusterBytes, before);
    if (member.sizeBytes <= wholeBytes(cut)) await this.#small(arrived, member.data);
    else await this.#large(arrived, member.data, cut);
  }

  /** It is listed by the manifest all the same. */
  async #readOnly(arrived: Arrived, data: AsyncIterable<Uint8Array>): Promise<void> {
    const sum = new Sum();
    for await (const piece of data) sum.add(piece);
    this.#options.spool.addFile({ ...arrived, ...sum.facts(), stored: undefined });
  }

  async #small(arrived: Arrived, data: AsyncIterable<Uint8Array>): Promise<void> {
    const sum = new Sum();
    const pieces: Uint8Array[] = [];
    for await (const piece of data) {
      sum.add(piece);
      pieces.push(piece);
    }
    await this.#begin(arrived, sum, this.#options.store({ kind: 'bytes', bytes: Buffer.concat(pieces) }));
  }

  /** Resolves once its bytes are read, which may be long before they are stored. */
  async #large(arrived: Arrived, data: AsyncIterable<Uint8Array>, cut: Cut): Promise<void> {
    const sum = new Sum();
    const read = Promise.withResolvers<void>();
    const stream = summed(data, sum, read.resolve);
    const stored = this.#options.store({ kind: 'stream', stream, cut });
    await Promise.race([read.promise, stored]);
    await this.#begin(arrived, sum, stored);
  }

  async #begin(arrived: Arrived, sum: Sum, stored: Promise<StoredContent>): Promise<void> {
    const noted: Promise<void> = stored
      .then((outcome) => this.#note(arrived, sum, outcome))
      .catch((error: unknown) => void (this.#failure ??= { error }))
      .finally(() => this.#pending.delete(noted));
    this.#pending.add(noted);
    while (this.#pending.size >= mostPending) await Promise.race(this.#pending);
    this.#throwFailure();
    this.#tell(sum.bytes);
  }

  #note(arrived: Arrived, sum: Sum, stored: StoredContent): void {
    if (stored.sizeBytes !== sum.bytes)
      throw new HoldfastError('internal', `${displayPath(arrived.path)} was not stored whole`);
    this.#options.spool.addFile({ ...arrived, ...sum.facts(), stored });
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

async function* summed(data: AsyncIterable<Uint8Array>, sum: Sum, onEnd: () => void): AsyncGenerator<Uint8Array> {
  for await (const piece of data) {
    sum.add(piece);
    yield piece;
  }
  onEnd();
}

function arrivedAt(path: RawPath, { mode, uid, gid, mtimeNs }: TarMember, type: Arrived['type']): Arrived {
  return { path, type, mode, uid, gid, mtimeNs };
}

import { crc32, createDeflateRaw, type DeflateRaw } from 'node:zlib';
import { HoldfastError } from '../../errors/error.ts';
import type { RawPath } from '../../bytes/ids.ts';
import type { TreeNode } from '../entry.ts';
import type { ArchiveFormat } from './format.ts';
import { unixPermissions } from '../unix-mode.ts';
import { centralHeader, dataDescriptor, endOfDirectory, localHeader, type ZipEntry } from './zip-records.ts';

/** Beyond this a file might not fit into 32 bits once deflated. */
const largeBytes = 0xff000000;
const typeBits: Readonly<Record<string, number>> = { file: 0o100000, symlink: 0o120000, dir: 0o040000 };

/** Deflates files as they come; the directory at the end is held in memory, some 100 bytes an entry. */
export class ZipFormat implements ArchiveFormat {
  readonly #directory: Uint8Array[] = [];
  #offset = 0;
  #entry: ZipEntry | undefined;
  #deflating: Deflating | undefined;

  *entry(path: RawPath, node: TreeNode): Generator<Uint8Array> {
    const isFile = node.type === 'file';
    const link = Buffer.from(node.type === 'symlink' ? (node.linkTarget ?? '') : '', 'latin1');
    this.#entry = {
      name: node.type === 'dir' ? `${path}/` : path,
      method: isFile ? 'deflated' : 'stored',
      sizes: isFile ? 'behind' : 'before',
      isLarge: isFile && node.sizeBytes >= largeBytes,
      mtimeSeconds: Number(node.mtimeNs / 1_000_000_000n),
      unixMode: (typeBits[node.type] ?? 0) | unixPermissions(node.mode),
      offset: this.#offset,
      crc: crc32(link),
      packedBytes: link.length,
      plainBytes: link.length,
    };
    this.#deflating = isFile ? new Deflating() : undefined;
    yield* this.#written([localHeader(this.#entry), link]);
  }

  async data(bytes: Uint8Array): Promise<readonly Uint8Array[]> {
    return this.#written((await this.#deflating?.add(bytes)) ?? []);
  }

  async endOfEntry(): Promise<readonly Uint8Array[]> {
    if (this.#entry === undefined) throw new HoldfastError('internal', 'no entry was begun');
    const deflating = this.#deflating;
    const pieces = [...((await deflating?.end()) ?? [])];
    const entry = deflating === undefined ? this.#entry : { ...this.#entry, ...deflating.sums };
    if (deflating !== undefined) pieces.push(dataDescriptor(entry));
    this.#directory.push(centralHeader(entry));
    return this.#written(pieces);
  }

  finish(): readonly Uint8Array[] {
    const sizeBytes = this.#directory.reduce((sum, { length }) => sum + length, 0);
    return [...this.#directory, endOfDirectory({ entries: this.#directory.length, offset: this.#offset, sizeBytes })];
  }

  #written(pieces: readonly Uint8Array[]): readonly Uint8Array[] {
    for (const { length } of pieces) this.#offset += length;
    return pieces;
  }
}

/** One file on its way through the compressor. */
class Deflating {
  readonly #stream: DeflateRaw = createDeflateRaw();
  #out: Uint8Array[] = [];
  #crc = 0;
  #plainBytes = 0;
  #packedBytes = 0;
  readonly #ended = Promise.withResolvers<void>();

  constructor() {
    this.#stream.on('data', (piece: Uint8Array) => {
      this.#out.push(piece);
      this.#packedBytes += piece.length;
    });
    this.#stream.on('end', this.#ended.resolve);
    this.#stream.on('error', this.#ended.reject);
  }

  get sums(): Pick<ZipEntry, 'crc' | 'plainBytes' | 'packedBytes'> {
    return { crc: this.#crc, plainBytes: this.#plainBytes, packedBytes: this.#packedBytes };
  }

  async add(bytes: Uint8Array): Promise<readonly Uint8Array[]> {
    this.#crc = crc32(bytes, this.#crc);
    this.#plainBytes += bytes.length;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#stream.write(bytes, (error) => (error ? reject(error) : resolve()));
    await promise;
    return this.#taken();
  }

  async end(): Promise<readonly Uint8Array[]> {
    this.#stream.end();
    await this.#ended.promise;
    return this.#taken();
  }

  #taken(): readonly Uint8Array[] {
    const out = this.#out;
    this.#out = [];
    return out;
  }
}

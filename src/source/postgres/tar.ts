import { rawPath, type RawPath } from '../../bytes/ids.ts';
import { HoldfastError } from '../../errors/error.ts';

/**
 * The tar files of a base backup, read as they arrive: ustar as PostgreSQL's tarCreateHeader writes it (names of up to
 * 99 bytes, no extensions; sizes beyond 8 GiB in base 256). Nothing is held but one header and one piece.
 */
export interface TarMember {
  /** Without './' in front and '/' behind. */
  readonly path: RawPath;
  readonly type: 'file' | 'dir' | 'symlink';
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeNs: bigint;
  /** Of a file. */
  readonly sizeBytes: number;
  /** Of a symlink. */
  readonly linkTarget: RawPath;
  /** Of a file: to be read to its end before the next member is asked for; throws where the archive ends early. */
  readonly data: AsyncIterable<Uint8Array>;
}

const blockBytes = 512;

/** Ends with the zero blocks, or where the archive ends at a member's border: servers up to 14 leave those blocks out. */
export async function* tarMembers(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<TarMember> {
  const reader = new PieceReader(pieces);
  for (;;) {
    const header = await reader.block();
    if (header === undefined) return;
    if (header.every((byte) => byte === 0)) break;
    const member = memberOf(header);
    const data = new Portion(reader, member.sizeBytes);
    yield { ...member, data };
    if (data.missing > 0)
      throw new HoldfastError('internal', `${member.path} of a base backup was not read to its end`);
    await reader.skip((blockBytes - (member.sizeBytes % blockBytes)) % blockBytes);
  }
  for await (const rest of reader.rest())
    if (rest.some((byte) => byte !== 0)) throw malformed('something follows its end');
}

function memberOf(header: Uint8Array): Omit<TarMember, 'data'> {
  const bytes = Buffer.from(header.buffer, header.byteOffset, header.byteLength);
  assertChecksum(bytes);
  const type = typeOf(bytes[156] ?? 0);
  return {
    type,
    path: pathOf(textAt(bytes, 0, 100)),
    mode: numberAt(bytes, 100, 8) & 0o7777,
    uid: numberAt(bytes, 108, 8),
    gid: numberAt(bytes, 116, 8),
    sizeBytes: type === 'file' ? numberAt(bytes, 124, 12) : 0,
    mtimeNs: BigInt(numberAt(bytes, 136, 12)) * 1_000_000_000n,
    linkTarget: rawPath(textAt(bytes, 157, 100)),
  };
}

function typeOf(flag: number): TarMember['type'] {
  switch (String.fromCharCode(flag)) {
    case '0':
    case '\0':
      return 'file';
    case '2':
      return 'symlink';
    case '5':
      return 'dir';
    default:
      throw malformed(`it holds a member of type ${flag}`);
  }
}

/** A name that would leave the data directory is none of the server's. */
function pathOf(name: Buffer): RawPath {
  const text = name
    .toString('latin1')
    .replace(/^(?:\.\/)+/, '')
    .replace(/\/+$/, '');
  const parts = text.split('/');
  if (parts.some((part) => part === '' || part === '.' || part === '..'))
    throw malformed(`it holds a member named ${JSON.stringify(text)}`);
  return rawPath(Buffer.from(text, 'latin1'));
}

function textAt(header: Buffer, offset: number, length: number): Buffer {
  const field = header.subarray(offset, offset + length);
  const end = field.indexOf(0);
  return end < 0 ? field : field.subarray(0, end);
}

/** Octal digits, or base 256 behind a first byte of 0x80 (pgtar.h, print_tar_number). */
function numberAt(header: Buffer, offset: number, length: number): number {
  const field = header.subarray(offset, offset + length);
  if (field[0] === 0x80) return field.subarray(1).reduce((sum, byte) => sum * 256 + byte, 0);
  const digits = /^ *([0-7]*)[ \0]*$/.exec(field.toString('latin1'))?.[1];
  if (digits === undefined) throw malformed('a number in it is none');
  return digits === '' ? 0 : Number.parseInt(digits, 8);
}

/** The sum of all bytes, those of the checksum itself counted as blanks. */
function assertChecksum(header: Buffer): void {
  const sum = header.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 32 : byte), 0);
  if (sum !== numberAt(header, 148, 8)) throw malformed('the checksum of a header is wrong');
}

/** Bytes of pieces in portions that somebody asks for. */
class PieceReader {
  readonly #pieces: AsyncIterator<Uint8Array>;
  #left: Uint8Array = new Uint8Array();

  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.#pieces = pieces[Symbol.asyncIterator]();
  }

  /** undefined at the end; an end within a block is none. */
  async block(): Promise<Uint8Array | undefined> {
    const block = new Uint8Array(blockBytes);
    let filled = 0;
    while (filled < blockBytes) {
      const part = await this.#next(blockBytes - filled);
      if (part === undefined && filled === 0) return undefined;
      if (part === undefined) throw endedEarly();
      block.set(part, filled);
      filled += part.length;
    }
    return block;
  }

  async skip(length: number): Promise<void> {
    for await (const part of new Portion(this, length)) void part;
  }

  async *rest(): AsyncGenerator<Uint8Array> {
    for (let part = await this.#next(Infinity); part !== undefined; part = await this.#next(Infinity)) yield part;
  }

  /** Of what is here already; undefined where that is nothing. */
  here(most: number): Uint8Array | undefined {
    if (this.#left.length === 0) return undefined;
    const part = this.#left.subarray(0, most);
    this.#left = this.#left.subarray(part.length);
    return part;
  }

  /** Whether there are more bytes, which are here by then. */
  async more(): Promise<boolean> {
    while (this.#left.length === 0) {
      const next = await this.#pieces.next();
      if (next.done === true) return false;
      this.#left = next.value;
    }
    return true;
  }

  async #next(most: number): Promise<Uint8Array | undefined> {
    return this.here(most) ?? ((await this.more()) ? this.here(most) : undefined);
  }
}

/** So many bytes of a reader, without a promise of its own for what is here already. */
class Portion implements AsyncIterableIterator<Uint8Array> {
  missing: number;
  readonly #reader: PieceReader;

  constructor(reader: PieceReader, length: number) {
    this.#reader = reader;
    this.missing = length;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    if (this.missing === 0) return Promise.resolve({ value: undefined, done: true });
    const value = this.#reader.here(this.missing);
    return value === undefined ? this.#wait() : Promise.resolve(this.#taken(value));
  }

  #taken(value: Uint8Array): IteratorResult<Uint8Array> {
    this.missing -= value.length;
    return { value, done: false };
  }

  async #wait(): Promise<IteratorResult<Uint8Array>> {
    const value = (await this.#reader.more()) ? this.#reader.here(this.missing) : undefined;
    if (value === undefined) throw endedEarly();
    return this.#taken(value);
  }
}

function endedEarly(): HoldfastError {
  return malformed('it ends in the middle of a file');
}

function malformed(what: string): HoldfastError {
  return new HoldfastError('source-failed', `the server sent a tar file that can’t be read: ${what}`);
}

import { HoldfastError } from '../../errors/error.ts';

/** Packet types of SFTP version 3 (draft-ietf-secsh-filexfer-02). */
export const packetTypes = {
  init: 1,
  version: 2,
  open: 3,
  close: 4,
  read: 5,
  write: 6,
  fstat: 8,
  setstat: 9,
  fsetstat: 10,
  opendir: 11,
  readdir: 12,
  remove: 13,
  mkdir: 14,
  rmdir: 15,
  stat: 17,
  rename: 18,
  status: 101,
  handle: 102,
  data: 103,
  name: 104,
  attrs: 105,
  extended: 200,
  extendedReply: 201,
} as const;

/** No packet of a server is believed to be longer. OpenSSH sends at most 256 KiB. */
export const mostPacketBytes = 1024 * 1024;

export interface Attributes {
  readonly sizeBytes?: number;
  /** Type and mode as stat(2) has them. */
  readonly mode?: number;
  readonly modifiedSeconds?: number;
}

/** One packet in the making: fields in order. */
export class PacketWriter {
  readonly #parts: Uint8Array[] = [];

  byte(value: number): this {
    this.#parts.push(Buffer.of(value));
    return this;
  }

  uint32(value: number): this {
    const bytes = Buffer.allocUnsafe(4);
    bytes.writeUInt32BE(value);
    this.#parts.push(bytes);
    return this;
  }

  uint64(value: number): this {
    const bytes = Buffer.allocUnsafe(8);
    bytes.writeBigUInt64BE(BigInt(value));
    this.#parts.push(bytes);
    return this;
  }

  string(value: string | Uint8Array): this {
    const bytes = typeof value === 'string' ? Buffer.from(value) : value;
    this.uint32(bytes.length).#parts.push(bytes);
    return this;
  }

  /** Attributes with a mode alone, or none. */
  mode(value?: number): this {
    return value === undefined ? this.uint32(0) : this.uint32(flags.mode).uint32(value);
  }

  /** The fields, with their length before them. */
  framed(): readonly Uint8Array[] {
    const length = Buffer.allocUnsafe(4);
    length.writeUInt32BE(this.#parts.reduce((sum, part) => sum + part.length, 0));
    return [length, ...this.#parts];
  }
}

const flags = { size: 1, owner: 2, mode: 4, times: 8, extended: 0x80000000 } as const;

/** The fields of a packet that a server sent; one that holds less than it says is 'storage-failed'. */
export class PacketReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  byte(): number {
    return this.#take(1).readUInt8();
  }

  uint32(): number {
    return this.#take(4).readUInt32BE();
  }

  /** Beyond what a number holds it is refused. */
  uint64(): number {
    const value = this.#take(8).readBigUInt64BE();
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw broken('a size beyond all measure');
    return Number(value);
  }

  bytes(): Buffer {
    return this.#take(this.uint32());
  }

  string(): string {
    return this.bytes().toString('utf8');
  }

  attributes(): Attributes {
    const given = this.uint32();
    const has = (flag: number): boolean => (given & flag) !== 0;
    const sizeBytes = has(flags.size) ? this.uint64() : undefined;
    if (has(flags.owner)) this.#take(8);
    const mode = has(flags.mode) ? this.uint32() : undefined;
    const times = has(flags.times) ? this.#take(8) : undefined;
    if (has(flags.extended)) for (let left = this.uint32(); left > 0; left--) this.#skipPair();
    return {
      ...(sizeBytes !== undefined && { sizeBytes }),
      ...(mode !== undefined && { mode }),
      ...(times && { modifiedSeconds: times.readUInt32BE(4) }),
    };
  }

  get done(): boolean {
    return this.#at === this.#bytes.length;
  }

  #skipPair(): void {
    this.bytes();
    this.bytes();
  }

  #take(count: number): Buffer {
    if (this.#at + count > this.#bytes.length) throw broken('a packet that ends in the midst of a field');
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }
}

/** What a server says is not SFTP. */
export function broken(what: string): HoldfastError {
  return new HoldfastError('storage-failed', `the SFTP server sends ${what}`);
}

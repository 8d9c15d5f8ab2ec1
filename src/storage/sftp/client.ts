import type { Answer, Channel } from './channel.ts';
import { broken, packetTypes, type Attributes, type PacketWriter } from './packet.ts';
import { hasStatus, statusCodes } from './status.ts';

export interface Listed {
  readonly name: string;
  readonly attributes: Attributes;
}

export type Handle = Uint8Array;

/** What OpenSSH's server adds to the protocol, by name and version. */
const extensions = {
  posixRename: 'posix-rename@openssh.com 1',
  hardlink: 'hardlink@openssh.com 1',
  fsync: 'fsync@openssh.com 1',
  statvfs: 'statvfs@openssh.com 2',
} as const;

const openFlags = { read: 1, write: 2, create: 8, exclusive: 0x20 } as const;

/** The calls of SFTP, one request each. What a server refuses is thrown as SftpRefusal. */
export class SftpClient {
  readonly #channel: Channel;
  readonly #extensions: ReadonlySet<string>;

  constructor(channel: Channel, offered: ReadonlySet<string>) {
    this.#channel = channel;
    this.#extensions = offered;
  }

  has(extension: keyof typeof extensions): boolean {
    return this.#extensions.has(extensions[extension]);
  }

  async openForReading(path: string): Promise<Handle> {
    return await this.#open(path, openFlags.read);
  }

  /** 'exclusive': there must be none. For its owner alone. */
  async createExclusive(path: string): Promise<Handle> {
    return await this.#open(path, openFlags.write | openFlags.create | openFlags.exclusive, 0o600);
  }

  async close(handle: Handle): Promise<void> {
    await this.#done(packetTypes.close, (packet) => packet.string(handle));
  }

  /** At least one byte and at most `length`; none at the end. */
  async read(handle: Handle, offset: number, length: number): Promise<Buffer> {
    const asking = this.#channel.ask(packetTypes.read, (packet) => packet.string(handle).uint64(offset).uint32(length));
    const answer = await unlessEnd(asking);
    if (answer === undefined) return Buffer.alloc(0);
    const bytes = expect(answer, packetTypes.data).bytes();
    if (bytes.length === 0 || bytes.length > length) throw broken('another number of bytes than it was asked for');
    return bytes;
  }

  async write(handle: Handle, offset: number, bytes: Uint8Array): Promise<void> {
    await this.#done(packetTypes.write, (packet) => packet.string(handle).uint64(offset).string(bytes));
  }

  /** Follows links. */
  async stat(path: string): Promise<Attributes> {
    const answer = await this.#channel.ask(packetTypes.stat, (packet) => packet.string(path));
    return expect(answer, packetTypes.attrs).attributes();
  }

  async statOpen(handle: Handle): Promise<Attributes> {
    const answer = await this.#channel.ask(packetTypes.fstat, (packet) => packet.string(handle));
    return expect(answer, packetTypes.attrs).attributes();
  }

  async setMode(handle: Handle, mode: number): Promise<void> {
    await this.#done(packetTypes.fsetstat, (packet) => packet.string(handle).mode(mode));
  }

  async setModeAt(path: string, mode: number): Promise<void> {
    await this.#done(packetTypes.setstat, (packet) => packet.string(path).mode(mode));
  }

  /** The server's umask may take some of the mode away. */
  async makeFolder(path: string, mode: number): Promise<void> {
    await this.#done(packetTypes.mkdir, (packet) => packet.string(path).mode(mode));
  }

  /** Fails unless it is empty. */
  async removeFolder(path: string): Promise<void> {
    await this.#done(packetTypes.rmdir, (packet) => packet.string(path));
  }

  async remove(path: string): Promise<void> {
    await this.#done(packetTypes.remove, (packet) => packet.string(path));
  }

  /** Replaces what is there. */
  async replace(from: string, to: string): Promise<void> {
    await this.#extended('posixRename', (packet) => packet.string(from).string(to));
  }

  /** Fails where something is there. */
  async rename(from: string, to: string): Promise<void> {
    await this.#done(packetTypes.rename, (packet) => packet.string(from).string(to));
  }

  /** Fails where something is there. */
  async link(from: string, to: string): Promise<void> {
    await this.#extended('hardlink', (packet) => packet.string(from).string(to));
  }

  async sync(handle: Handle): Promise<void> {
    await this.#extended('fsync', (packet) => packet.string(handle));
  }

  /** What anybody but the system's own user may still write. */
  async freeBytes(path: string): Promise<number> {
    const answer = await this.#channel.ask(packetTypes.extended, (packet) =>
      packet.string('statvfs@openssh.com').string(path),
    );
    const reply = expect(answer, packetTypes.extendedReply);
    const [, fragmentBytes = 0, , , available = 0] = Array.from({ length: 5 }, () => reply.uint64());
    return fragmentBytes * available;
  }

  /** The entries of a folder, a packet at a time. */
  async *entries(path: string): AsyncGenerator<readonly Listed[], void> {
    const opened = await this.#channel.ask(packetTypes.opendir, (packet) => packet.string(path));
    const handle = expect(opened, packetTypes.handle).bytes();
    try {
      for (;;) {
        const answer = await unlessEnd(this.#channel.ask(packetTypes.readdir, (packet) => packet.string(handle)));
        if (answer === undefined) return;
        yield listedIn(answer);
      }
    } finally {
      await this.close(handle);
    }
  }

  async #open(path: string, flags: number, mode?: number): Promise<Handle> {
    const answer = await this.#channel.ask(packetTypes.open, (packet) => packet.string(path).uint32(flags).mode(mode));
    return Uint8Array.from(expect(answer, packetTypes.handle).bytes());
  }

  async #extended(name: keyof typeof extensions, fields: (packet: PacketWriter) => PacketWriter): Promise<void> {
    const [extension = ''] = extensions[name].split(' ');
    await this.#done(packetTypes.extended, (packet) => fields(packet.string(extension)));
  }

  async #done(type: number, fields: (packet: PacketWriter) => PacketWriter): Promise<void> {
    expect(await this.#channel.ask(type, fields), packetTypes.status);
  }
}

function expect({ type, packet }: Answer, wanted: number): Answer['packet'] {
  if (type !== wanted) throw broken('an answer to another question');
  return packet;
}

async function unlessEnd(asking: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await asking;
  } catch (error) {
    if (hasStatus(error, statusCodes.eof)) return undefined;
    throw error;
  }
}

function listedIn(answer: Answer): readonly Listed[] {
  const packet = expect(answer, packetTypes.name);
  const count = packet.uint32();
  const found: Listed[] = [];
  while (found.length < count) {
    const name = packet.string();
    packet.bytes(); // as `ls -l` shows it
    found.push({ name, attributes: packet.attributes() });
  }
  if (count === 0) throw broken('a list of nothing');
  return found;
}

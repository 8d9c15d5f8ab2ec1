import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import fc from 'fast-check';
import { HoldfastError } from '../errors/error.ts';
import { openStorage } from './open.ts';
import { parseSftpAddress, sshCommand } from './sftp/address.ts';
import { Channel } from './sftp/channel.ts';
import { SftpClient } from './sftp/client.ts';
import { framesOf } from './sftp/frames.ts';
import { PacketReader, PacketWriter, packetTypes } from './sftp/packet.ts';
import { readAll } from './sftp/transfer.ts';

test('addresses are taken apart as restic does, and become the same command', () => {
  const commands = {
    'ann@host:path/to': ['ssh', 'host', '-l', 'ann', '-s', 'sftp'],
    'host:/srv/backup': ['ssh', 'host', '-s', 'sftp'],
    'ann@corp@host:/srv': ['ssh', 'host', '-l', 'ann@corp', '-s', 'sftp'],
    '//ann@host:2222//srv/backup/': ['ssh', 'host', '-p', '2222', '-l', 'ann', '-s', 'sftp'],
    '//[::1]:22/path': ['ssh', '::1', '-p', '22', '-s', 'sftp'],
  };
  for (const [address, command] of Object.entries(commands))
    assert.deepEqual(sshCommand(parseSftpAddress(address), {}), command);
  const paths = { 'h:a/../b': 'b', 'h:': '.', '//h/a': 'a', '//h//a/': '/a', 'h:/a//b/': '/a/b' };
  for (const [address, path] of Object.entries(paths)) assert.equal(parseSftpAddress(address).path, path);
  assert.equal(parseSftpAddress('//ann:secret@host:22/a').url, 'sftp://ann@host:22/a');
  const near = parseSftpAddress('//ann@[::1]:22//a');
  assert.deepEqual([near.host, near.url], ['::1', 'sftp://ann@[::1]:22//a']);
  assert.equal(parseSftpAddress('//[::1]/a').url, 'sftp://[::1]/a');
  for (const wrong of [
    '//host/100%',
    '//me%zz@host/a',
    'host',
    '//host',
    'host:~/a',
    '-oProxyCommand=x:/a',
    '-l@host:/a',
  ])
    assert.throws(() => parseSftpAddress(wrong), { code: 'usage' }, wrong);
});

test('sftp.args are added to ssh’s, sftp.command stands in place of all', () => {
  const place = parseSftpAddress('ann@host:/a');
  const args = sshCommand(place, { args: `-i '/my key' -v` });
  assert.deepEqual(args, ['ssh', 'host', '-l', 'ann', '-i', '/my key', '-v', '-s', 'sftp']);
  assert.deepEqual(sshCommand(place, { command: 'my-ssh x' }), ['my-ssh', 'x']);
  assert.throws(() => sshCommand(place, { command: 'a', args: 'b' }), { code: 'usage' });
  assert.throws(() => sshCommand(place, { command: ' ' }), { code: 'usage' });
});

function packetOf(...fields: readonly ((packet: PacketWriter) => PacketWriter)[]): Buffer {
  return Buffer.concat([...fields.reduce((packet, field) => field(packet), new PacketWriter()).framed()]);
}

const greeting = packetOf((packet) => packet.byte(packetTypes.version).uint32(3));

/** A client of a server that answers each request as it is told. */
async function talking(answer: (request: PacketReader, type: number, number: number) => Buffer): Promise<SftpClient> {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const serve = async (): Promise<void> => {
    for await (const frame of framesOf(input)) {
      const packet = new PacketReader(frame);
      const type = packet.byte();
      output.write(type === packetTypes.init ? greeting : answer(packet, type, packet.uint32()));
    }
  };
  void serve().catch(() => undefined); // the client's side tells
  const opened = Channel.open(input, output, (error) => void opened.then(({ channel }) => channel.fail(error)));
  const { channel, extensions } = await opened;
  return new SftpClient(channel, extensions);
}

const head = (type: number, number: number) => (packet: PacketWriter) => packet.byte(type).uint32(number);
const handle = Buffer.from('h');

test('a server that answers something else is given up, whoever waits', async () => {
  const answers: Readonly<Record<string, (number: number) => Buffer>> = {
    'another number': (number) => packetOf(head(packetTypes.data, number + 7), (packet) => packet.string('x')),
    'another type': (number) => packetOf(head(packetTypes.handle, number), (packet) => packet.string('x')),
    'more than was asked for': (number) => packetOf(head(packetTypes.data, number), (p) => p.string('x'.repeat(11))),
    'nothing, without an end': (number) => packetOf(head(packetTypes.data, number), (packet) => packet.string('')),
    'a field beyond the packet': (number) => packetOf(head(packetTypes.data, number), (packet) => packet.uint32(1e9)),
    'a packet of 4 GiB': () => Buffer.from([255, 255, 255, 255, 1]),
    'text': () => Buffer.from('Welcome to this machine!\n'),
  };
  for (const [what, answer] of Object.entries(answers)) {
    const client = await talking((_, __, number) => answer(number));
    await assert.rejects(client.read(handle, 0, 10), { code: 'storage-failed' }, what);
  }
});

test('a list that never ends its packet, or lists nothing, is refused', async () => {
  const lists = [
    (number: number) => packetOf(head(packetTypes.name, number), (packet) => packet.uint32(4_000_000_000)),
    (number: number) => packetOf(head(packetTypes.name, number), (packet) => packet.uint32(0)),
  ];
  for (const list of lists) {
    const client = await talking((_, type, number) => {
      if (type === packetTypes.opendir) return packetOf(head(packetTypes.handle, number), (p) => p.string('h'));
      if (type === packetTypes.readdir) return list(number);
      return packetOf(head(packetTypes.status, number), (packet) => packet.uint32(0));
    });
    await assert.rejects(Array.fromAsync(client.entries('/')), { code: 'storage-failed' });
  }
});

test('a server that gives a few bytes at a time is read whole', async () => {
  const content = Buffer.from(Array.from({ length: 100_000 }, (_, n) => n % 251));
  const client = await talking((request, _, number) => {
    request.bytes();
    const offset = request.uint64();
    const part = content.subarray(offset, offset + Math.min(request.uint32(), 7000));
    if (part.length > 0) return packetOf(head(packetTypes.data, number), (packet) => packet.string(part));
    return packetOf(head(packetTypes.status, number), (packet) => packet.uint32(1).string('end').string(''));
  });
  assert.deepEqual(await readAll(client, handle, { offset: 1, length: 99_000 }, {}), content.subarray(1, 99_001));
  assert.deepEqual(await readAll(client, handle, { offset: 90_000, length: 64_000 }, {}), content.subarray(90_000));
});

test('any bytes are attributes and names or are refused, never read beyond their end', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const reader = new PacketReader(Buffer.from(bytes));
      try {
        while (!reader.done) {
          reader.string();
          reader.attributes();
        }
      } catch (error) {
        assert.ok(error instanceof HoldfastError && error.code === 'storage-failed');
      }
    }),
    { numRuns: 500 },
  );
});

test('packets come out as they went in, however the stream is cut', async () => {
  const contents = fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(contents, fc.integer({ min: 1, max: 97 }), async (packets, step) => {
      const stream = Buffer.concat(packets.map((bytes) => Buffer.concat([lengthOf(bytes), bytes])));
      const chunks = Array.from({ length: Math.ceil(stream.length / step) }, (_, n) =>
        stream.subarray(n * step, (n + 1) * step),
      );
      const found = await Array.fromAsync(framesOf(PassThrough.from(chunks)), (frame) => Uint8Array.from(frame));
      assert.deepEqual(found, packets);
    }),
    { numRuns: 100 },
  );
});

function lengthOf(bytes: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return length;
}

test('a program that can’t connect is told with its words, and no folder is taken for one', async () => {
  const open = async (command: string): Promise<void> => {
    await using _storage = await openStorage('sftp:host:/a', { options: new Map([['sftp.command', command]]) });
  };
  await assert.rejects(open(`sh -c 'echo no route >&2; exit 7'`), { code: 'storage-failed', message: /no route/ });
  await assert.rejects(open('/nowhere/ssh'), { code: 'storage-denied', message: /not found/ });
  await assert.rejects(open(`echo You have mail.`), { code: 'storage-failed', message: /no packet/ });
});

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { pipelineWriter } from '../../../test/support/pipeline.ts';
import { Receiver } from './receive.ts';
import { Spool } from './spool.ts';

const [kib, mib] = [1024, 2 ** 20];

function headerOf(path: string, sizeBytes: number): Buffer {
  const header = Buffer.alloc(512);
  header.write(path, 0, 'latin1');
  for (const [at, value] of [
    [100, 0o600],
    [108, 0],
    [116, 0],
    [136, 0],
  ] as const)
    header.write(value.toString(8).padStart(7, '0'), at, 'latin1');
  header.write(sizeBytes.toString(8).padStart(11, '0'), 124, 'latin1');
  header.write('0', 156, 'latin1');
  header.write('        ', 148, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}

test('a base backup in the midst of being received holds 32 MiB of it, however large its files are', async () => {
  await using writer = await pipelineWriter();
  using spool = new Spool();
  const sizes = [...Array.from({ length: 12 }, () => 6 * mib), ...Array.from({ length: 100 }, () => 200 * kib)];
  let [sent, stored, most] = [0, 0, 0];
  const archive = async function* (): AsyncGenerator<Uint8Array> {
    const piece = randomBytes(8 * kib);
    for (const [number, sizeBytes] of sizes.entries()) {
      yield headerOf(`base/5/${16_384 + number}`, sizeBytes);
      for (let at = 0; at < sizeBytes; at += piece.length) {
        piece.writeUInt32LE(at);
        yield new Uint8Array(piece);
        sent += piece.length;
        most = Math.max(most, sent - stored);
      }
    }
  };
  const receiver = new Receiver({
    spool,
    store: async (content) => {
      const outcome = await writer.store(content);
      stored += outcome.sizeBytes;
      return outcome;
    },
    listener: () => undefined,
    cutBefore: async () => undefined,
  });
  await receiver.archive(archive(), undefined);
  await receiver.settled();
  assert.equal(
    stored,
    sizes.reduce((sum, size) => sum + size, 0),
  );
  assert.equal([...spool.files()].length, sizes.length);
  assert.ok(most <= 32 * mib, `${most} bytes were held`);
});

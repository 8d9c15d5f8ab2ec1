import { hash, randomBytes } from 'node:crypto';
import { RabinChunker } from '../src/chunking/chunker.ts';
import { randomPolynomial } from '../src/chunking/polynomial.ts';
import { compressTransient, decompress } from '../src/compression/zstd.ts';
import { randomMasterKey } from '../src/crypto/key.ts';
import { open, seal, sealedLength, sealInto } from '../src/crypto/seal.ts';
import { microseconds } from './timing.ts';

/**
 * `node bench/primitives.ts`: what one thread of this machine does at most, primitive by primitive, in CPU time, so
 * that what else runs disturbs little. A phase's profile is read beside these numbers.
 */
const mebibyte = 2 ** 20;
const random = randomBytes(8 * mebibyte);
const log = Buffer.from(logLines(8 * mebibyte));

/** Lines as a web server writes them: a few fields differ. */
function logLines(length: number): string {
  const lines: string[] = [];
  for (let at = 0, size = 0; size < length; at += 1) {
    const id = random.readUInt32LE((at * 4) % (random.length - 4));
    const line = `2026-01-02T03:${at % 60}:${id % 60}.${id % 1000}Z 10.0.${id % 7}.${id % 251} GET /api/v1/items/${id % 9973} 200 ${id % 50_000} "agent/1.${id % 9}"\n`;
    lines.push(line);
    size += line.length;
  }
  return lines.join('').slice(0, length);
}

const key = randomMasterKey();
const chunker = new RabinChunker(randomPolynomial(), {
  limits: { minBytes: 64, maxBytes: 8 * mebibyte, averageBits: 29 },
});
chunker.buffer.set(random);
const target = new Uint8Array(sealedLength(8 * mebibyte));
const packed = new Map(
  [log, random].map((bytes) => [bytes, Buffer.from(compressTransient(bytes.subarray(0, mebibyte), 'auto'))]),
);
const sealed = seal(key, random.subarray(0, mebibyte));

const large: Readonly<Record<string, () => unknown>> = {
  'SHA-256': () => hash('sha256', random.subarray(0, mebibyte), 'buffer'),
  'Rabin': () => chunker.next(0, mebibyte, 'final'),
  'copy into WASM': () => chunker.buffer.set(random.subarray(0, mebibyte)),
  'seal': () => sealInto(key, random.subarray(0, mebibyte), target, 0),
  'open': () => open(key, sealed),
  'compress log, auto': () => compressTransient(log.subarray(0, mebibyte), 'auto'),
  'compress log, fastest': () => compressTransient(log.subarray(0, mebibyte), 'fastest'),
  'compress random, auto': () => compressTransient(random.subarray(0, mebibyte), 'auto'),
  'decompress log': () => decompress(packed.get(log) ?? sealed, mebibyte),
  'decompress random': () => decompress(packed.get(random) ?? sealed, mebibyte),
};

console.log('MiB/s, blobs of 1 MiB');
for (const [name, run] of Object.entries(large))
  console.log(`  ${name.padEnd(24)}${(1e6 / microseconds(run)).toFixed(0).padStart(8)}`);

console.log('µs a blob'.padEnd(26) + [200, 1000, 3000, 6000].map((size) => `${size} B`.padStart(8)).join(''));
const small: Readonly<Record<string, (bytes: Uint8Array) => () => unknown>> = {
  'SHA-256': (bytes) => () => hash('sha256', bytes, 'buffer'),
  'seal into a pack': (bytes) => () => sealInto(key, bytes, target, 0),
  'open': (bytes) => {
    const one = seal(key, bytes);
    return () => open(key, one);
  },
  'compress, auto': (bytes) => () => compressTransient(bytes, 'auto'),
  'decompress': (bytes) => {
    const frame = Buffer.from(compressTransient(bytes, 'auto'));
    return () => decompress(frame, bytes.length);
  },
};
for (const [name, prepare] of Object.entries(small)) {
  const figures = [200, 1000, 3000, 6000].map((size) => microseconds(prepare(log.subarray(5000, 5000 + size))));
  console.log(`  ${name.padEnd(24)}${figures.map((figure) => figure.toFixed(1).padStart(8)).join('')}`);
}

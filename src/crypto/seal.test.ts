import assert from 'node:assert/strict';
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { hasCode } from '../errors/error.ts';
import { randomMasterKey } from './key.ts';
import { poly1305 } from './poly1305.ts';
import { open, seal, sealedLength, sealInto, sealOverhead } from './seal.ts';

const key = randomMasterKey();
const damaged = (error: unknown): boolean => hasCode(error, 'damaged');
const bytes = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength });

/** Poly1305 by the formula of RFC 8439, section 2.5, in whole numbers. */
function poly1305ByFormula(oneTimeKey: Uint8Array, message: Uint8Array): Buffer {
  const number = (part: Uint8Array): bigint => part.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  const r = number(oneTimeKey.subarray(0, 16)) & 0x0ffffffc0ffffffc0ffffffc0fffffffn;
  let sum = 0n;
  for (let at = 0; at < message.length; at += 16) {
    const block = message.subarray(at, at + 16);
    sum = ((sum + number(block) + (1n << BigInt(8 * block.length))) * r) % ((1n << 130n) - 5n);
  }
  const tag = (sum + number(oneTimeKey.subarray(16))) & ((1n << 128n) - 1n);
  return Buffer.from(Uint8Array.fromHex(tag.toString(16).padStart(32, '0'))).reverse();
}

test('Poly1305 gives the tag of RFC 8439, section 2.5.2', () => {
  const oneTimeKey = Uint8Array.fromHex('85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b');
  const tag = poly1305(oneTimeKey, Buffer.from('Cryptographic Forum Research Group'));
  assert.equal(tag.toHex(), 'a8061dc1305136c6c22b8baf0c0127a9');
});

test('Poly1305 agrees with its formula for every key, clamped or not, and message', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), bytes(200), (oneTimeKey, message) => {
      assert.deepEqual(poly1305(oneTimeKey, message), poly1305ByFormula(oneTimeKey, message));
    }),
    { numRuns: 500 },
  );
});

test('a sealed message has the stored form of the format', () => {
  fc.assert(
    fc.property(bytes(3000), (plaintext) => {
      const sealed = seal(key, plaintext);
      const iv = sealed.subarray(0, 16);
      const ciphertext = sealed.subarray(16, -16);
      const s = createCipheriv('aes-128-ecb', key.macK, null).update(iv);
      assert.deepEqual(createDecipheriv('aes-256-ctr', key.encrypt, iv).update(ciphertext), Buffer.from(plaintext));
      assert.deepEqual(sealed.subarray(-16), poly1305ByFormula(Buffer.concat([key.macR, s]), ciphertext));
    }),
    { numRuns: 300 },
  );
});

test('what is sealed opens to the same bytes, large messages too', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 400_000 }), fc.integer({ min: 0, max: 255 }), (length, seed) => {
      const plaintext = new Uint8Array(length).map((_, at) => (at * 31 + seed) ^ (at >> 8));
      assert.deepEqual(open(key, seal(key, plaintext)), Buffer.from(plaintext));
    }),
    { numRuns: 60 },
  );
});

test('sealing in place writes the sealed length at the offset and nothing around it', () => {
  fc.assert(
    fc.property(bytes(500), fc.nat(40), (plaintext, offset) => {
      const target = new Uint8Array(offset + sealedLength(plaintext.length) + 9).fill(7);
      const written = sealInto(key, plaintext, target, offset);
      assert.equal(written, plaintext.length + sealOverhead);
      assert.deepEqual(open(key, target.subarray(offset, offset + written)), Buffer.from(plaintext));
      assert.ok([...target.subarray(0, offset), ...target.subarray(offset + written)].every((byte) => byte === 7));
    }),
    { numRuns: 200 },
  );
});

test('any change to any bit, and any cut, is refused as damaged', () => {
  fc.assert(
    fc.property(bytes(200), fc.nat(), fc.nat(7), fc.nat(), (plaintext, at, bit, cut) => {
      const sealed = seal(key, plaintext);
      const flipped = Buffer.from(sealed);
      flipped[at % flipped.length] = (flipped[at % flipped.length] ?? 0) ^ (1 << bit);
      assert.throws(() => open(key, flipped), damaged);
      assert.throws(() => open(key, sealed.subarray(0, cut % sealed.length)), damaged);
    }),
    { numRuns: 500 },
  );
});

test('random bytes and another key are refused as damaged', () => {
  fc.assert(
    fc.property(bytes(300), (anything) => {
      assert.throws(() => open(key, anything), damaged);
      assert.throws(() => open(randomMasterKey(), seal(key, anything)), damaged);
    }),
    { numRuns: 200 },
  );
});

test('an IV of zeros is refused even under a right MAC', () => {
  const iv = new Uint8Array(16);
  const ciphertext = createCipheriv('aes-256-ctr', key.encrypt, iv).update('text');
  const s = createCipheriv('aes-128-ecb', key.macK, null).update(iv);
  const mac = poly1305(Buffer.concat([key.macR, s]), ciphertext);
  assert.throws(() => open(key, Buffer.concat([iv, ciphertext, mac])), damaged);
});

test('no IV is used twice, across refills of the pool', () => {
  const seen = new Set<string>();
  for (let count = 0; count < 5000; count += 1) seen.add(seal(key, new Uint8Array(1)).subarray(0, 16).toHex());
  assert.equal(seen.size, 5000);
});

import assert from 'node:assert/strict';
import { createCipheriv } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { instantiate } from '../bytes/wasm.ts';
import { randomMasterKey } from './key.ts';
import { poly1305 } from './poly1305.ts';
import { open, seal } from './seal.ts';
import { parseModule } from './small-messages.ts';

const module = parseModule(instantiate('seal'));
const memory = new Uint8Array(module.memory.buffer);

function tagInWasm(oneTimeKey: Uint8Array, text: Uint8Array): string {
  const textAt = module.sealedAt() + 16;
  memory.set(oneTimeKey, module.oneTimeKeyAt());
  memory.set(text, textAt);
  module.authenticate(text.length);
  return memory.subarray(textAt + text.length, textAt + text.length + 16).toHex();
}

test("Poly1305 in WASM gives RFC 8439's tags for sums at the edges of the modulus (appendix A.3, vectors 7 to 11)", () => {
  const r = (byte: string): string => byte.padEnd(32, '0');
  const f = 'f'.repeat(32);
  const vectors: readonly (readonly [string, string, string, string])[] = [
    [r('02'), r(''), f, '03'],
    [r('02'), f, r('02'), '03'],
    [r('01'), r(''), `${f}f0${'f'.repeat(30)}11${'0'.repeat(30)}`, '05'],
    [r('01'), r(''), `${f}fb${'fe'.repeat(15)}${'01'.repeat(16)}`, '00'],
    [r('02'), r(''), `fd${'f'.repeat(30)}`, `fa${'f'.repeat(30)}`],
  ];
  for (const [key, s, text, tag] of vectors) {
    assert.equal(tagInWasm(Uint8Array.fromHex(key + s), Uint8Array.fromHex(text)), r(tag));
  }
});

test('Poly1305 in WASM is the native one for extreme keys and texts', () => {
  const extreme = (lengths: { minLength: number; maxLength: number }): fc.Arbitrary<Uint8Array> =>
    fc.oneof(
      fc.uint8Array(lengths),
      fc.array(fc.constantFrom(0, 1, 0xfb, 0xfe, 0xff), lengths).map((bytes) => Uint8Array.from(bytes)),
    );
  fc.assert(
    fc.property(
      extreme({ minLength: 32, maxLength: 32 }),
      extreme({ minLength: 0, maxLength: 100 }),
      (oneTimeKey, text) => {
        assert.equal(tagInWasm(oneTimeKey, text), poly1305(oneTimeKey, text).toHex());
      },
    ),
    { numRuns: 2000 },
  );
});

/** Sealed by native functions alone, under a chosen IV. */
function sealNatively(key: ReturnType<typeof randomMasterKey>, iv: Uint8Array, plaintext: Uint8Array): Buffer {
  const ciphertext = createCipheriv('aes-256-ctr', key.encrypt, iv).update(plaintext);
  const s = createCipheriv('aes-128-ecb', key.macK, null).update(iv);
  return Buffer.concat([iv, ciphertext, poly1305(Buffer.concat([key.macR, s]), ciphertext)]);
}

test('counters carry through all bytes of the IV and wrap, as the native cipher has it', () => {
  const key = randomMasterKey();
  const plaintext = new Uint8Array(4000).map((_, at) => at);
  for (const iv of [
    'f'.repeat(32),
    `00${'f'.repeat(30)}`,
    `${'0'.repeat(16)}${'f'.repeat(14)}f0`,
    '0123456789abcdef00000000ffffffff',
  ]) {
    assert.deepEqual(open(key, sealNatively(key, Uint8Array.fromHex(iv), plaintext)), Buffer.from(plaintext));
  }
});

test('messages at the edge between small and large are sealed alike', () => {
  const key = randomMasterKey();
  for (let length = 4080; length <= 4112; length += 1) {
    const plaintext = new Uint8Array(length).map((_, at) => at * 7);
    const sealed = seal(key, plaintext);
    assert.deepEqual(sealed, sealNatively(key, sealed.subarray(0, 16), plaintext));
    assert.deepEqual(open(key, sealed), Buffer.from(plaintext));
  }
});

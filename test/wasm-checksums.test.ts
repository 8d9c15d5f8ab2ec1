import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { crc32cJoined } from '../src/bytes/crc32c.ts';
import { isRightPage, lsnOfPage } from '../src/bytes/page-checksum.ts';
import { instantiate } from '../src/bytes/wasm.ts';
import { functionOf, memoryOf, pageAt, pageChecksum, pageMemory } from './support/page-checksum.ts';

/** Pages 1, 1 and 3 of three relations that PostgreSQL 15 wrote with data checksums on. */
const writtenPages = [
  {
    block: 1,
    deflated: '7cjBDUBAAETR2XAWBUhWObrQjyYURQFbghKIqwYc3kv+HCZJlrWU80imtHrVfk6Sts9vAAAAAAAAAMA/lIzZhu/fPXMD',
  },
  {
    block: 1,
    deflated: '7cixDUBQAEXRJwxgAMk3gEqsYA+bWe0vINFpidYCinOK95KbJNuxNvOUDKnlLN2Yp9X9PQAAAAAAAADgJ5r0uZZvb5+5AQ==',
  },
  {
    block: 3,
    deflated:
      '7cehDYAwFADRa4NAVuL6LYqFGIKNulYNHskIEBISNsDcU3cA0x5p3iDo9axDAByt0NuTkiRJkiRJkiRJkiTpN5lEiXV5PwFjfC/fcQE=',
  },
];

test('the page checksum is the one in pages that PostgreSQL wrote', () => {
  for (const { block, deflated } of writtenPages) {
    const page = inflateRawSync(Buffer.from(deflated, 'base64'));
    assert.equal(page.length, 8192);
    assert.equal(pageChecksum(page, block), page.readUInt16LE(8));
    assert.equal(pageMemory[pageAt + 8], page[8], 'the stored one stays');
    assert.notEqual(pageChecksum(page, block + 1), page.readUInt16LE(8));
  }
});

test('any changed bit of a page changes its checksum, but for the checksum itself', () => {
  const page = inflateRawSync(Buffer.from(writtenPages[2]?.deflated ?? '', 'base64'));
  const right = pageChecksum(page, 3);
  fc.assert(
    fc.property(fc.nat(8191), fc.nat(7), (at, bit) => {
      const changed = Buffer.from(page);
      changed[at] = (changed[at] ?? 0) ^ (1 << bit);
      assert.equal(pageChecksum(changed, 3) === right, at === 8 || at === 9);
    }),
    { numRuns: 300 },
  );
});

const crc = instantiate('crc32c');
const crcMemory = memoryOf(crc);
const crcAt = functionOf(crc, 'bufferAt')();

function crc32c(bytes: Uint8Array, previous = 0): number {
  crcMemory.set(bytes, crcAt);
  return functionOf(crc, 'update')(previous, bytes.length) >>> 0;
}

test('CRC-32C gives the values of RFC 3720, appendix B.4', () => {
  assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa);
  assert.equal(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43);
  assert.equal(crc32c(new Uint8Array(32).map((_, at) => at)), 0x46dd794e);
  assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283);
});

/** Bit by bit. */
function crc32cByDefinition(bytes: Uint8Array): number {
  let value = 0xffffffff;
  for (const byte of bytes) {
    value ^= byte;
    for (let bit = 0; bit < 8; bit += 1) value = (value >>> 1) ^ (value & 1 ? 0x82f63b78 : 0);
  }
  return ~value >>> 0;
}

/** Few go by tables, many are folded. */
const manyBytes = fc.uint8Array({ maxLength: 3000, size: 'max' });

test('CRC-32C of parts, one after the other, is that of the whole by definition', () => {
  fc.assert(
    fc.property(manyBytes, fc.nat(3000), (bytes, cut) => {
      const whole = crc32cByDefinition(bytes);
      assert.equal(crc32c(bytes), whole);
      assert.equal(crc32c(bytes.subarray(cut), crc32c(bytes.subarray(0, cut))), whole);
    }),
    { numRuns: 500 },
  );
});

test('CRCs of two runs of bytes give that of both, one after the other', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ maxLength: 300 }), (first, second) => {
      const both = Buffer.concat([first, second]);
      assert.equal(crc32cJoined(crc32c(first), crc32c(second), second.length), crc32c(both));
    }),
    { numRuns: 300 },
  );
});

test('a page is right with its checksum or as zeros, and its position in the log is read from its head', () => {
  const { block, deflated } = writtenPages[2] ?? { block: 0, deflated: '' };
  const page = inflateRawSync(Buffer.from(deflated, 'base64'));
  assert.ok(isRightPage(page, block));
  assert.ok(!isRightPage(page, block + 1));
  assert.ok(isRightPage(new Uint8Array(8192), 7));
  assert.equal(lsnOfPage(page), (BigInt(page.readUInt32LE(0)) << 32n) + BigInt(page.readUInt32LE(4)));
  page[5000] = 1;
  assert.ok(!isRightPage(page, block));
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { budget } from '../../test/budget.ts';
import { HoldfastError } from '../errors/error.ts';
import { decodeUnpacked, encodeUnpacked } from './unpacked.ts';

const json = Buffer.from(`{"tree":"${'x'.repeat(5000)}"}`);

test('index and snapshots are compressed from version 2 on, locks never, and all are read back', () => {
  for (const version of [1, 2] as const) {
    for (const kind of ['index', 'snapshots', 'locks'] as const) {
      const stored = encodeUnpacked(version, kind, json);
      assert.equal(stored[0] === 2, version === 2 && kind !== 'locks');
      assert.deepEqual(Buffer.from(decodeUnpacked(version, kind, stored, 'x')), json);
    }
  }
});

test('a compressed lock, as restic writes it, is read', () => {
  const stored = Buffer.concat([Uint8Array.of(2), zstdCompressSync(json)]);
  assert.deepEqual(Buffer.from(decodeUnpacked(2, 'locks', stored, 'x')), json);
});

test('a frame that swells beyond what such a file can hold is refused', () => {
  const bomb = Buffer.concat([Uint8Array.of(2), zstdCompressSync(Buffer.alloc(2 * 1024 * 1024))]);
  assert.ok(bomb.length < 1000);
  assert.throws(() => decodeUnpacked(2, 'locks', bomb, 'x'), { code: 'damaged' });
});

test('any bytes are decoded or refused as damaged', () => {
  const bytes = fc.uint8Array({ maxLength: 40 });
  const frames = bytes.map((tail) => Buffer.concat([Uint8Array.of(2), zstdCompressSync(json).subarray(0, 20), tail]));
  fc.assert(
    fc.property(fc.oneof(bytes, frames), fc.constantFrom(1 as const, 2 as const), (stored, version) => {
      try {
        decodeUnpacked(version, 'index', stored, 'x');
      } catch (error) {
        assert.ok(error instanceof HoldfastError && error.code === 'damaged', String(error));
      }
    }),
    { numRuns: budget.fuzzRuns },
  );
});

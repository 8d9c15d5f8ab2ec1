import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { budget } from '../../test/budget.ts';
import { HoldfastError } from '../errors/error.ts';
import { decodeConfig, encodeConfig } from './config.ts';

const id = 'ab'.repeat(32);
const chunker_polynomial = '3da3358b4dc173';

function config(fields: object): Buffer {
  return Buffer.from(JSON.stringify({ version: 2, id, chunker_polynomial, ...fields }));
}

test('a config has exactly the fields that restic writes, and is read back', () => {
  const bytes = encodeConfig({ version: 2, id, chunkerPolynomial: chunker_polynomial });
  assert.equal(
    Buffer.from(bytes).toString(),
    `{"version":2,"id":"${id}","chunker_polynomial":"${chunker_polynomial}"}\n`,
  );
  const { version, chunkerPolynomial, chunking, appendOnly } = decodeConfig(bytes);
  assert.deepEqual(
    { version, chunkerPolynomial, appendOnly },
    { version: 2, chunkerPolynomial: chunker_polynomial, appendOnly: false },
  );
  assert.deepEqual(chunking, { kind: 'rabin', minBytes: 524288, averageBytes: 1048576, maxBytes: 8388608 });
});

test("rustic's fields are understood, and kept on a rewrite", () => {
  const rustic = {
    chunker: 'rabin',
    chunk_size: 2097152,
    chunk_min_size: 262144,
    chunk_max_size: 4194304,
    append_only: true,
    treepack_size: 9,
  };
  const read = decodeConfig(config(rustic));
  assert.deepEqual(read.chunking, { kind: 'rabin', minBytes: 262144, averageBytes: 2097152, maxBytes: 4194304 });
  assert.ok(read.appendOnly);
  assert.deepEqual(decodeConfig(encodeConfig(read)).raw, { version: 2, id, chunker_polynomial, ...rustic });
  const fixed = decodeConfig(config({ chunker: 'fixed_size', chunk_size: 4096 }));
  assert.deepEqual(fixed.chunking, { kind: 'fixed', sizeBytes: 4096 });
});

test('a version, a chunker or sizes that can not be honoured are refused', () => {
  for (const version of [0, 3, '2', undefined])
    assert.throws(() => decodeConfig(config({ version })), { code: 'unsupported' });
  assert.throws(() => decodeConfig(config({ chunker: 'fastcdc' })), { code: 'unsupported' });
  for (const bad of [
    { chunk_size: 2 ** 31 },
    { chunk_size: 0, chunker: 'fixed_size' },
    { chunk_min_size: 2 ** 24 },
    { chunk_max_size: 5 },
  ]) {
    assert.throws(() => decodeConfig(config(bad)), { code: 'damaged' }, JSON.stringify(bad));
  }
});

test('a reducible polynomial is refused', () => {
  for (const polynomial of ['3da3358b4dc172', '0', '', 'xyz', 'ffffffffffffffffff']) {
    assert.throws(() => decodeConfig(config({ chunker_polynomial: polynomial })), { code: 'damaged' }, polynomial);
  }
});

test('any JSON is a config or is refused with a code', () => {
  fc.assert(
    fc.property(fc.json(), (json) => {
      try {
        decodeConfig(Buffer.from(json));
      } catch (error) {
        assert.ok(error instanceof HoldfastError && (error.code === 'damaged' || error.code === 'unsupported'));
      }
    }),
    { numRuns: budget.fuzzRuns },
  );
});

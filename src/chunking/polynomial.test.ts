import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hasCode } from '../errors/error.ts';
import { formatPolynomial, isIrreducible, parsePolynomial, randomPolynomial } from './polynomial.ts';

test('the published polynomial is irreducible and survives being written and read', () => {
  assert.ok(isIrreducible(0x3da3358b4dc173n));
  assert.equal(formatPolynomial(parsePolynomial('3DA3358B4DC173')), '3da3358b4dc173');
});

test("irreducibility is as restic's chunker has it", () => {
  const verdicts = {
    '38f1e565e288df': false,
    '30a8295b9d5c91': false,
    '255f4350b962cb': false,
    '267f776110a235': false,
    '2f4dae10d41227': false,
    '2482734cacca49': true,
    '312daf4b284899': false,
    '29dfb6553d01d1': false,
    '3548245eb26257': false,
    '3199e7ef4211b3': false,
  };
  for (const [text, expected] of Object.entries(verdicts))
    assert.equal(isIrreducible(BigInt(`0x${text}`)), expected, text);
});

/** Carry-less product. */
function product(left: bigint, right: bigint): bigint {
  let sum = 0n;
  for (let bit = 0n; right >> bit > 0n; bit += 1n) if ((right >> bit) & 1n) sum ^= left << bit;
  return sum;
}

test('every product of degree 53 is refused as reducible', () => {
  const factors = fc.integer({ min: 1, max: 26 }).chain((degree) => {
    const ofDegree = (exact: number): fc.Arbitrary<bigint> =>
      fc.bigInt({ min: 0n, max: (1n << BigInt(exact)) - 1n }).map((low) => low | (1n << BigInt(exact)));
    return fc.tuple(ofDegree(degree), ofDegree(53 - degree));
  });
  fc.assert(
    fc.property(factors, ([left, right]) => {
      assert.equal(isIrreducible(product(left, right)), false);
      assert.throws(
        () => parsePolynomial(formatPolynomial(product(left, right))),
        (error) => hasCode(error, 'damaged'),
      );
    }),
    { numRuns: 300 },
  );
});

test('random polynomials are accepted by the reader and differ', () => {
  const made = Array.from({ length: 5 }, () => formatPolynomial(randomPolynomial()));
  for (const text of made) assert.equal(formatPolynomial(parsePolynomial(text)), text);
  assert.equal(new Set(made).size, made.length);
});

test('one in 53 polynomials of degree 53 is irreducible, as counting says', () => {
  let found = 0;
  for (let low = 1n; low < 8000n; low += 1n)
    if (isIrreducible((1n << 53n) | ((low * 1_125_899_906_843n) & ((1n << 53n) - 1n)))) found += 1;
  assert.ok(found > 8000 / 53 / 1.5 && found < (8000 / 53) * 1.5, String(found));
});

test('what is no polynomial of degree 53 is damage', () => {
  for (const text of [
    '',
    '0',
    'xyz',
    '1',
    '7b',
    '0x3da3358b4dc173',
    '3da3358b4dc173 ',
    '-3da3358b4dc173',
    'ffffffffffffffff',
    '1'.repeat(40),
  ]) {
    assert.throws(
      () => parsePolynomial(text),
      (error) => hasCode(error, 'damaged'),
      text,
    );
  }
});

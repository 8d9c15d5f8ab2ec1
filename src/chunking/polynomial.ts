import { randomBytes } from 'node:crypto';
import { HoldfastError } from '../errors/error.ts';

/**
 * A polynomial over GF(2), bit i being the coefficient of xⁱ. Two repositories cut alike, and so deduplicate against
 * each other, only with the same polynomial.
 */
export type Polynomial = bigint;

/** Of every chunker polynomial: irreducible ones of this degree are what the format asks for. */
const polynomialDegree = 53;

export function randomPolynomial(): Polynomial {
  for (;;) {
    const random = randomBytes(8).readBigUInt64LE() & ((1n << 53n) - 1n);
    const candidate = random | (1n << 53n) | 1n;
    if (isIrreducible(candidate)) return candidate;
  }
}

/** Lower-case hex without leading zeros, as in a repository's config. */
export function formatPolynomial(polynomial: Polynomial): string {
  return polynomial.toString(16);
}

/** Fails with `damaged` for what isn't an irreducible polynomial of degree 53: no client accepts it. */
export function parsePolynomial(text: string): Polynomial {
  const polynomial = /^[0-9a-fA-F]{1,16}$/.test(text) ? BigInt(`0x${text}`) : 0n;
  if (degreeOf(polynomial) === polynomialDegree && isIrreducible(polynomial)) return polynomial;
  throw new HoldfastError('damaged', `not a chunker polynomial: ${JSON.stringify(text.slice(0, 40))}`);
}

/** Rabin's test for a prime degree n: x^(2ⁿ) = x modulo f, and f has no linear factor. */
export function isIrreducible(polynomial: Polynomial): boolean {
  const degree = degreeOf(polynomial);
  if (degree !== polynomialDegree)
    throw new RangeError(`degree ${degree}: the test is for degree ${polynomialDegree} alone`);
  if ((polynomial & 1n) === 0n || isEven(countOnes(polynomial))) return false;
  let power = 2n;
  for (let step = 0; step < degree; step += 1) power = remainder(square(power), polynomial);
  return power === 2n;
}

function degreeOf(polynomial: Polynomial): number {
  return polynomial.toString(2).length - 1;
}

/** Over GF(2) the square has each coefficient at twice its place. */
function square(polynomial: Polynomial): Polynomial {
  return BigInt(`0b${polynomial.toString(2).split('').join('0')}`);
}

function remainder(value: Polynomial, divisor: Polynomial): Polynomial {
  let rest = value;
  const divisorDegree = degreeOf(divisor);
  while (rest !== 0n) {
    const shift = degreeOf(rest) - divisorDegree;
    if (shift < 0) break;
    rest ^= divisor << BigInt(shift);
  }
  return rest;
}

function countOnes(value: bigint): number {
  return value.toString(2).replaceAll('0', '').length;
}

function isEven(count: number): boolean {
  return count % 2 === 0;
}

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import fc from 'fast-check';
import { HoldfastError } from '../../src/errors/error.ts';
import { budget } from '../budget.ts';
import { prove } from './proof.ts';

export interface Decoder {
  readonly name: string;
  readonly sound: Uint8Array;
  readonly decode: (bytes: Uint8Array) => unknown;
}

/** Where, what is done there, and with which bytes. */
const change = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  remove: fc.nat(8),
  insert: fc.oneof(fc.uint8Array({ maxLength: 8 }), fc.constantFrom(...tokens())),
});

function tokens(): readonly Uint8Array[] {
  const texts = [
    'null',
    '-1',
    '1e999',
    '[]',
    '{}',
    '""',
    '"\\ud800"',
    '[[[[',
    '99999999999999999999',
    '\\x',
    '__proto__',
  ];
  return texts.map((text) => Buffer.from(text));
}

/** Sound inputs with bytes changed, put in, taken out and repeated: a decoder gives a value or 'damaged'. */
export async function fuzz(context: TestContext, { name, sound, decode }: Decoder): Promise<void> {
  let [runs, refused] = [0, 0];
  const seed = Number(process.env['HOLDFAST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  const property = fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
    runs += 1;
    try {
      await decode(changes.reduce((bytes, each) => applied(bytes, each), sound));
    } catch (error) {
      assert.ok(error instanceof HoldfastError && error.code === 'damaged', String(error));
      refused += 1;
    }
  });
  await fc.assert(property, { numRuns: budget.fuzzRuns, seed });
  assert.ok(runs >= budget.fuzzRuns && refused > runs / 10, `${refused} of ${runs} were refused`);
  await decode(sound);
  const claim = `whatever is done to a ${name}, it is decoded or refused`;
  prove(context, { claim, count: `${runs} runs`, seeds: [seed] });
}

interface Change {
  readonly at: number;
  readonly remove: number;
  readonly insert: Uint8Array;
}

function applied(bytes: Uint8Array, { at, remove, insert }: Change): Uint8Array {
  const from = Math.floor(at * bytes.length);
  return Buffer.concat([bytes.subarray(0, from), insert, bytes.subarray(from + remove)]);
}

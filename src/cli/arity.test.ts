import assert from 'node:assert/strict';
import { test } from 'node:test';
import { arityOf } from './arity.ts';

test('how many operands a command takes is what its help says', () => {
  const cases: readonly (readonly [string, number, number])[] = [
    ['', 0, 0],
    ['KEY', 1, 1],
    ['[PLAN]', 0, 1],
    ['PLAN STEP', 2, 2],
    ['PACK…', 1, Infinity],
    ['[SNAPSHOT…]', 0, Infinity],
    ['[SNAPSHOT… | COMPONENT…]', 0, Infinity],
    ['SNAPSHOT | COMPONENT', 1, 1],
    ['SNAPSHOT [FOLDER…] | COMPONENT [FOLDER…]', 1, Infinity],
    ['SNAPSHOT SNAPSHOT | COMPONENT TIME [TIME]', 2, 3],
    ['config | snapshot ID', 1, 2],
  ];
  for (const [operands, least, most] of cases) assert.deepEqual(arityOf(operands), { least, most }, operands);
});

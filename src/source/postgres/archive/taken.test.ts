import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Taken, type TakenAt } from './taken.ts';

const at = (epoch: number, from: bigint): TakenAt => ({ epoch, from });

test('another’s log is known as such as long as anything of it is left, though its first segments are past the window', () => {
  const forgotten: TakenAt[] = [];
  const forget = (one: TakenAt): void => void forgotten.push(one);
  const taken = new Taken({ noted: [at(1, 3n), at(2, 3n)], add: async () => {}, forget });
  taken.keepOnly([at(1, 1n), at(1, 4n), at(1, 5n), at(2, 2n)]);
  assert.deepEqual(forgotten, [at(2, 3n)], 'nothing is left of that of the other timeline');
  assert.throws(() => taken.assertNotBehind(at(1, 6n), 'near'), { code: 'log-conflict' });
  taken.assertNotBehind(at(2, 6n), 'near');
  taken.keepOnly([at(1, 1n), at(1, 2n)]);
  assert.deepEqual(forgotten, [at(2, 3n), at(1, 3n)]);
  taken.assertNotBehind(at(1, 6n), 'near');
});

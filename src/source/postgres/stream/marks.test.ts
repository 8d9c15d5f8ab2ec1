import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { budget } from '../../../../test/budget.ts';
import { Marks } from './marks.ts';

test('nothing is known before the server told where its log ends', () => {
  const marks = new Marks();
  assert.equal(marks.reachedMs(100n), undefined);
  marks.add(50n, 1000);
  assert.equal(marks.reachedMs(49n), undefined);
  assert.equal(marks.reachedMs(50n), 1000);
});

test('an idle server’s word that nothing came counts as safe', () => {
  const marks = new Marks();
  marks.add(50n, 1000);
  marks.add(50n, 9000);
  assert.equal(marks.reachedMs(50n), 9000);
});

test('no moment is ever called safe at which the server had written more than is durable', () => {
  const steps = fc.array(fc.record({ grown: fc.nat(9), later: fc.nat(300), durable: fc.nat(100) }), { maxLength: 60 });
  const property = fc.property(steps, (given) => {
    const marks = new Marks();
    const told: { end: bigint; ms: number }[] = [];
    let [end, ms, durable] = [0n, 0, 0n];
    for (const step of given) {
      end += BigInt(step.grown);
      ms += step.later;
      told.push({ end, ms });
      marks.add(end, ms);
      const next = (end * BigInt(step.durable)) / 100n;
      if (next > durable) durable = next;
      const reached = marks.reachedMs(durable);
      const most = told.findLast((one) => one.end <= durable)?.ms;
      if (reached !== undefined) assert.ok(most !== undefined && reached <= most);
    }
  });
  fc.assert(property, { numRuns: budget.propertyRuns });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { budget } from '../../../../test/budget.ts';
import { Feed, type Reader } from './feed.ts';

const signal = new AbortController().signal;
const mib = 2 ** 20;

function feedFor(readers: readonly Reader[], segmentBytes = 16): Feed {
  return new Feed({ segmentBytes, readers: () => readers });
}

test('however the server cuts its log, segments hold it in its order', async () => {
  const property = fc.asyncProperty(
    fc.uint8Array({ maxLength: 100 }),
    fc.array(fc.integer({ min: 1, max: 40 })),
    async (log, cuts) => {
      const feed = feedFor([]);
      feed.begin(1, 32n);
      let at = 0;
      for (const length of [...cuts, 100]) {
        await feed.put(32n + BigInt(at), log.subarray(at, at + length), signal);
        at = Math.min(log.length, at + length);
      }
      assert.equal(feed.end?.at, 32n + BigInt(log.length));
      for (let sequence = 0; sequence * 16 < log.length; sequence++) {
        const held = await feed.segment(sequence, signal);
        const own = log.subarray(sequence * 16, sequence * 16 + 16);
        assert.deepEqual(held?.bytes.subarray(0, own.length), own);
        assert.equal(held.state, own.length === 16 ? 'whole' : 'open');
      }
    },
  );
  await fc.assert(property, { numRuns: budget.propertyRuns });
});

test('a segment that is nowhere yet holds the server up; one that a required place has is let go', async () => {
  const [slow, quick] = [
    { required: false, sequence: 0 },
    { required: true, sequence: 0 },
  ];
  const feed = feedFor([slow, quick], 32 * mib);
  feed.begin(1, 0n);
  await feed.put(0n, new Uint8Array(32 * mib), signal);
  let isThrough = false;
  const more = feed.put(32n * BigInt(mib), new Uint8Array(1), signal).then(() => (isThrough = true));
  slow.sequence = 1;
  feed.passed();
  await Promise.resolve();
  assert.equal(isThrough, false);
  [slow.sequence, quick.sequence] = [0, 1];
  feed.passed();
  await more;
  assert.equal(await feed.segment(0, signal), undefined, 'the slow place is filled from the other');
});

test('what does not follow on what came is refused', async () => {
  const feed = feedFor([]);
  feed.begin(1, 0n);
  await assert.rejects(feed.put(5n, new Uint8Array(1), signal), { code: 'source-failed' });
});

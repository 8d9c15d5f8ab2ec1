import assert from 'node:assert/strict';
import { test } from 'node:test';
import { thawState } from './archive.ts';

test('the header x-amz-restore is read as Amazon’s documentation shows it', () => {
  assert.deepEqual(thawState(undefined), { kind: 'archived' });
  assert.deepEqual(thawState('ongoing-request="true"'), { kind: 'thawing' });
  const untilNs = BigInt(Date.UTC(2012, 11, 21)) * 1_000_000n;
  const done = 'ongoing-request="false", expiry-date="Fri, 21 Dec 2012 00:00:00 GMT"';
  assert.deepEqual(thawState(done), { kind: 'thawed', untilNs });
  assert.deepEqual(thawState('ongoing-request="false"'), { kind: 'thawed', untilNs: undefined });
});

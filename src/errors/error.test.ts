import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codes } from './codes.ts';
import { HoldfastError, hasCode } from './error.ts';

test('an error carries its code, the exit code and what to do next', () => {
  const error = new HoldfastError('wrong-password', 'no key opens with this password');
  assert.equal(error.exitCode, 12);
  assert.equal(error.next, codes['wrong-password'].next);
  assert.ok(hasCode(error, 'locked', 'wrong-password'));
  assert.ok(!hasCode(error, 'locked'));
});

test('a more exact guidance replaces that of the code, and the cause is kept', () => {
  const cause = new Error('ENOSPC');
  const error = new HoldfastError('storage-full', 'no space left', { cause, next: 'Free 3 GiB.' });
  assert.equal(error.next, 'Free 3 GiB.');
  assert.equal(error.cause, cause);
});

test('an error of another class has none of our codes', () => {
  assert.ok(!hasCode(new Error('locked'), 'locked'));
});

test('the table of codes is sorted', () => {
  assert.deepEqual(Object.keys(codes), Object.keys(codes).toSorted());
});

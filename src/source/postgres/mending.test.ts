import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasCode, HoldfastError } from '../../errors/error.ts';
import { connectTo, ServerError } from './connect.ts';
import { mendingOf, withMending } from './mending.ts';
import { stalled } from './waits.ts';

const unharmed = 'The log is unharmed.';

test('what a server says tells what to do about it, however deep it stands, and what is unharmed', () => {
  const refusal = new ServerError('28P01', 'password authentication failed', undefined);
  const named = new HoldfastError('source-failed', 'shop-db: it failed', { cause: refusal });
  const told = withMending(named, unharmed);
  assert.ok(hasCode(told, 'source-failed'));
  assert.equal(told.message, 'shop-db: it failed');
  assert.match(told.next, /^See the password: .* The log is unharmed\.$/);
  const strange = withMending(new ServerError('XX000', 'something', undefined), unharmed);
  assert.ok(hasCode(strange, 'source-failed'));
  assert.equal(strange.next, unharmed);
  const exact = withMending(stalled('host:5432', 'when it was asked', 1000), unharmed);
  assert.ok(hasCode(exact, 'source-failed'));
  assert.match(exact.next, /^look at the log, .*; then run this again\. The log is unharmed\.$/);
  const other = new HoldfastError('locked', 'by another');
  assert.equal(withMending(other, unharmed), other);
});

test('a server that nobody runs is told with what to look at', async () => {
  const { signal } = new AbortController();
  const connecting = connectTo({ url: 'postgres://shop@127.0.0.1:1/shop', use: 'statements', signal });
  await assert.rejects(connecting, {
    code: 'source-failed',
    next: /^See that the server runs, and listens .* No snapshot was written/,
  });
});

test('only a socket that is not there is told as one: a program that is missing is not', () => {
  const gone = (syscall: string): Error => Object.assign(new Error('ENOENT'), { code: 'ENOENT', syscall });
  assert.match(mendingOf(gone('connect')) ?? '', /socket/);
  assert.equal(mendingOf(gone('spawn pg_dump')), undefined);
});

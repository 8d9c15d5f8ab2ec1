import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openStorage } from '../open.ts';
import { shownRemote } from './remote.ts';

test('the options of a remote are not shown, its name and path are', () => {
  for (const plain of ['remote:path', 'remote:', '/local/a,b', ':memory:x', 'remote:a,b=c:d']) {
    assert.equal(shownRemote(plain), plain);
  }
  for (const [given, shown] of [
    [':s3,access_key_id=a,secret_access_key=hidden:bucket/path', ':s3,…:bucket/path'],
    ['remote,pass="hidden:with ""quotes"", and more",x=\'hi:dden\':a:b', 'remote,…:a:b'],
    ['remote,pass=hidden', 'remote,…'],
  ] as const)
    assert.equal(shownRemote(given), shown);
});

test('a program’s last words show no options of the remote either', async () => {
  const remote = ':s3,secret_access_key=hidden:bucket';
  const options = new Map([['rclone.program', `sh -c 'echo "cannot use $5" >&2; exit 1' sh`]]);
  await assert.rejects(openStorage(`rclone:${remote}`, { options }), (error) => {
    assert.ok(error instanceof Error);
    assert.match(error.message, /cannot use :s3,…:bucket/);
    assert.doesNotMatch(error.message, /hidden/);
    return true;
  });
});

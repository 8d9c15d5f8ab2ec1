import assert from 'node:assert/strict';
import { test } from 'node:test';
import { currentUser, groupName, processIsAlive, userName } from './users.ts';

test('owners have the names that the system gives them, and none when it has none', () => {
  assert.equal(userName(0), 'root');
  assert.match(groupName(0), /^(root|wheel)$/);
  assert.equal(userName(3_999_999_999), '');
  assert.equal(groupName(3_999_999_999), '');
});

test('the current user has number and name', () => {
  assert.equal(currentUser().uid, process.getuid?.());
  assert.equal(currentUser().name, userName(currentUser().uid));
});

test('a process is alive or not, and no number speaks to a group of processes', () => {
  assert.ok(processIsAlive(process.pid));
  assert.ok(processIsAlive(1));
  for (const nobody of [4_194_305, 0, -1, 1.5, Number.NaN]) assert.ok(!processIsAlive(nobody), String(nobody));
});

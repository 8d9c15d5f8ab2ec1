import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HoldfastError } from '../errors/error.ts';
import { DiskFull } from '../snapshot/restore.ts';
import { ofScratch } from './free-space.ts';

test('of a folder that is gone again nobody is told that what was restored stays; any other failure is as it was', () => {
  const full = new DiskFull('/state/sandboxes/1', undefined);
  const told = ofScratch(full);
  assert.ok(told instanceof HoldfastError);
  assert.deepEqual([told.code, told.message], ['storage-full', 'the disk of /state/sandboxes/1 is full']);
  assert.match(told.next, /--state-dir\. Nothing was changed\.$/);
  assert.match(full.next, /stays there/);
  const other = new HoldfastError('storage-full', 'near is full');
  assert.equal(ofScratch(other), other);
});

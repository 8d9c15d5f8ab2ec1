import assert from 'node:assert/strict';
import { test } from 'node:test';
import { versionTime } from './version-time.ts';

test('a version named by a ULID is as old as its name says, any other as its date says', () => {
  const date = new Date('2020-01-01T00:00:00Z');
  assert.equal(versionTime('01ARZ3NDEKTSV4RRFFQ69G5FAV', date), 1_469_922_850_259_000_000n);
  for (const version of ['null', '8c09034b-de80-4bc2-b987-0bdf9949d4aa', 'L4kqtJlcpXroDTDmpUMLUo', ''])
    assert.equal(versionTime(version, date), BigInt(date.getTime()) * 1_000_000n);
  assert.equal(versionTime('null', undefined), 0n);
});

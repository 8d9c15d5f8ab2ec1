import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { blobIdOf, parseBlobId } from './ids.ts';
import { IdSet } from './id-set.ts';

test('a set of IDs holds what was added, through growth, and nothing else', () => {
  const set = new IdSet();
  const ids = Array.from({ length: 5000 }, (_none, n) => blobIdOf(createHash('sha256').update(`${n}`).digest()));
  const [present, absent] = [ids.slice(0, 4000), ids.slice(4000)];
  assert.ok(present.every((id) => set.add(id)));
  assert.ok(present.every((id) => !set.add(id) && set.has(id)));
  assert.ok(absent.every((id) => !set.has(id)));
  assert.equal(set.size, 4000);
});

test('IDs that differ in their last byte alone, and that of zeros, are told apart', () => {
  const set = new IdSet();
  const ids = ['00', '01', 'ff'].map((end) => parseBlobId(`${'00'.repeat(31)}${end}`));
  assert.deepEqual(
    ids.map((id) => set.has(id)),
    [false, false, false],
  );
  assert.deepEqual(
    [...ids, ...ids].map((id) => set.add(id)),
    [true, true, true, false, false, false],
  );
});

test('a hundred thousand IDs that begin alike, or end alike, take no longer than others', { timeout: 30_000 }, () => {
  for (const zeros of ['padStart', 'padEnd'] as const) {
    const set = new IdSet();
    const ids = Array.from({ length: 100_000 }, (_none, n) =>
      parseBlobId(n.toString(16).padStart(8, '0')[zeros](64, '0')),
    );
    for (const id of ids) set.add(id);
    assert.equal(set.size, ids.length);
  }
});

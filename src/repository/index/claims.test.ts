import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { ClaimReply, ClaimRequest } from '../../../test/support/claim-worker.ts';
import { startWorker } from '../../host/worker.ts';
import { BlobTable, createTableMemory } from './table.ts';

const entry = new URL('../../../test/support/claim-worker.ts', import.meta.url);

async function claimedBy(request: ClaimRequest): Promise<ClaimReply> {
  const reply = Promise.withResolvers<ClaimReply>();
  await using worker = startWorker<ClaimRequest, ClaimReply>(entry, {
    name: 'claim',
    onMessage: reply.resolve,
    onFailure: reply.reject,
  });
  worker.post(request);
  return await reply.promise;
}

test('of three threads that claim the same 60,000 blobs, each blob goes to exactly one', async () => {
  const ids = Array.from({ length: 60_000 }, (_, number) => createHash('sha256').update(`${number}`).digest('hex'));
  // Few chains and a growing memory: as much contention as there can be.
  const memory = createTableMemory(2 ** 8);
  const shares = await Promise.all([1, 2, 3].map(() => claimedBy({ memory, ids })));
  const claims = shares.flat();
  const numbers = new Set(claims.map(({ number }) => number));
  assert.equal(claims.length, ids.length);
  assert.equal(numbers.size, ids.length);
  const { entries } = new BlobTable(memory);
  for (const { number, slot } of claims) {
    assert.equal(entries.id(slot), ids[number]);
    assert.equal(entries.state(slot), 'claimed');
  }
});

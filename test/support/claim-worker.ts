import { serveRequests } from '../../src/host/worker.ts';
import { BlobTable, type TableMemory } from '../../src/repository/index/table.ts';

/** Claims every blob of a list, in an order of its own: for the test that two workers never get the same. */
export interface ClaimRequest {
  readonly memory: TableMemory;
  readonly ids: readonly string[];
}

/** What this worker got: place in the list and slot. */
export type ClaimReply = readonly { readonly number: number; readonly slot: number }[];

serveRequests<ClaimRequest, ClaimReply>(({ memory, ids }) => {
  const table = new BlobTable(memory);
  return ids.flatMap((id, number) => {
    const slot = table.claim('data', id);
    return slot < 0 ? [] : [{ number, slot }];
  });
});

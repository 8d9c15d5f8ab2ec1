import type { Repository } from '../repository/repository.ts';
import { appendRecord } from './chain.ts';
import type { RecordFacts, StoredRecord, Writer } from './record.ts';
import { waitingFor, type RecordState } from './state.ts';

/**
 * Appends a fact behind everything that still waits for its component; resolves with its record. A kill between writing
 * a record and forgetting what waited leaves it in the chain twice, with the same time and data: a fact is never lost.
 */
export async function deliver(
  repository: Repository,
  facts: RecordFacts,
  { writer, state }: { readonly writer: Writer; readonly state: RecordState },
): Promise<StoredRecord> {
  for (const { facts: earlier, done } of await waitingFor(state, facts.component)) {
    await appendRecord(repository, earlier, writer);
    await done();
  }
  return await appendRecord(repository, facts, writer);
}

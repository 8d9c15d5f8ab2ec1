import type { Repository } from '../repository/repository.ts';
import { appendRecord } from './chain.ts';
import type { RecordFacts, StoredRecord, Writer } from './record.ts';
import { waitingFor } from './outbox.ts';
import type { RecordState } from './state.ts';

/** Who writes, and where what waits is kept. */
export interface Delivery {
  readonly writer: Writer;
  readonly state: RecordState;
}

/**
 * Appends a fact behind everything that still waits for its component; resolves with its record. A kill between writing
 * a record and forgetting what waited leaves it in the chain twice, with the same time and data: a fact is never lost.
 */
export async function deliver(repository: Repository, facts: RecordFacts, delivery: Delivery): Promise<StoredRecord> {
  const behind = await deliverWaiting(repository, facts.component, delivery);
  return await appendRecord(repository, facts, delivery.writer, behind);
}

/** Appends what waits for a component, where nothing new is to be told of it. The newest record, if there was one. */
export async function deliverWaiting(
  repository: Repository,
  component: string,
  { writer, state }: Delivery,
): Promise<StoredRecord | undefined> {
  let newest: StoredRecord | undefined;
  for await (const { facts, done } of waitingFor(state, component)) {
    newest = await appendRecord(repository, facts, writer, newest);
    await done();
  }
  return newest;
}

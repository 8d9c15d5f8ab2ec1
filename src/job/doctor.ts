import { runConformance, type ConformanceReport } from '../storage/conformance.ts';
import type { Storage } from '../storage/storage.ts';
import type { JobContext } from './job.ts';

/** Tries every promise of the storage contract, and closes the storage. */
export async function proveStorage(
  { listener, signal }: Pick<JobContext, 'listener' | 'signal'>,
  storage: Storage,
): Promise<ConformanceReport> {
  await using _storage = storage;
  return await runConformance(storage, listener, signal);
}

import { runConformance, type CheckResult } from '../storage/conformance.ts';
import type { Storage } from '../storage/storage.ts';
import { inTrial, type Tried } from '../storage/trial.ts';
import type { JobContext } from './job.ts';

/** Tries every promise of the storage contract, and closes the storage. */
export async function proveStorage(
  context: Pick<JobContext, 'clock' | 'listener' | 'signal'>,
  storage: Storage,
): Promise<Tried<readonly CheckResult[]>> {
  await using _storage = storage;
  return await inTrial(storage, context, (trial) => runConformance(trial, context));
}

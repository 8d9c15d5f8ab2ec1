import { runConformance, type ConformanceReport } from '../storage/conformance.ts';
import { openStorage } from '../storage/open.ts';
import type { StorageSettings } from '../storage/settings.ts';
import type { JobContext } from './job.ts';

/** Tries every promise of the storage contract at an address. */
export async function proveStorage(
  { listener, signal }: Pick<JobContext, 'listener' | 'signal'>,
  address: string,
  settings: StorageSettings,
): Promise<ConformanceReport> {
  await using storage = await openStorage(address, settings);
  return await runConformance(storage, listener, signal);
}

import { HoldfastError } from '../errors/error.ts';
import { heldBack, type HeldBack } from '../repository/held-back.ts';
import type { Repository } from '../repository/repository.ts';
import type { JobContext } from './job.ts';

/**
 * What a job's removals left behind as old versions. All of them are done, whatever happens here: that it can't be told
 * is a warning.
 */
export async function heldBackBy(
  { storage }: Repository,
  { clock, listener, signal }: JobContext,
): Promise<{ readonly heldBack?: HeldBack }> {
  try {
    const held = await heldBack(storage, { clock, signal });
    return held === undefined ? {} : { heldBack: held };
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    const message = `what was removed is hidden by markers; how much room it still takes can't be told: ${error.message}`;
    listener({ kind: 'warning', during: 'prune', item: storage.url, message });
    return {};
  }
}

import { hasCode } from '../../../errors/error.ts';
import type { LogWork } from '../../log.ts';
import { issueGrant, withdrawGrant } from '../grant.ts';
import { wipeSpool } from '../wipe-spool.ts';

/** A worker without a grant ends within a second or so, or when what it stores is stored. */
const mostMs = 120_000;
const pauseMs = 100;

/**
 * Markers tell of the segments of another directory; with them gone, the grant. A worker that is at work there loses it
 * first: it takes what stands in this place now for what it began with. Resolves with what could not be wiped.
 */
export async function takeOver(
  component: string,
  { stateFolder, clock, signal }: Pick<LogWork, 'stateFolder' | 'clock' | 'signal'>,
  place: string,
): Promise<readonly string[]> {
  const giveUpAt = clock.monotonicMs() + mostMs;
  for (;;) {
    try {
      const { left } = wipeSpool(stateFolder, component);
      await issueGrant(stateFolder, component, place);
      return left;
    } catch (error) {
      if (!hasCode(error, 'locked') || clock.monotonicMs() > giveUpAt) throw error;
    }
    await withdrawGrant(stateFolder, component);
    await clock.sleep(pauseMs, signal);
  }
}

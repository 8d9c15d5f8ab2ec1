import { HoldfastError } from '../../errors/error.ts';

/** Why a signal was aborted. */
export function abortError(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new HoldfastError('interrupted', 'the work was given up');
}

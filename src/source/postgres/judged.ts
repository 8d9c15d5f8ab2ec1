import { HoldfastError } from '../../errors/error.ts';
import type { QueryAnswer } from '../rehearsal.ts';
import { ServerError } from './connect.ts';
import { accusesCopy } from './surroundings.ts';

export type Accusation = Extract<QueryAnswer, { kind: 'refused' | 'lacking' }>;

/** What an error of a server in a sandbox says: that the copy is wrong, or nothing of it. Whatever else it is is thrown. */
export function judgedOf(error: unknown, signal: AbortSignal): Accusation {
  signal.throwIfAborted();
  if (!(error instanceof HoldfastError)) throw error;
  const accuses = error instanceof ServerError && accusesCopy(error.sqlState, error.message);
  return { kind: accuses ? 'refused' : 'lacking', reason: error.message };
}

import { HoldfastError } from '../errors/error.ts';

/** The same error, saying whose it is: who reads it alone, as in a message to the night shift, is to know. */
export function named(component: string, error: unknown, signal: AbortSignal): unknown {
  if (!(error instanceof HoldfastError) || signal.aborted) return error;
  const { code, message, next } = error;
  return new HoldfastError(code, `${component}: ${message}`, { cause: error, next });
}

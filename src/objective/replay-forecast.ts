import { roughText } from '../policy/span.ts';

/** A log that was replayed onto a restored backup: how much of it, and what it took. */
export interface ReplayMeasurement {
  readonly bytes: number;
  readonly seconds: number;
}

/** How long a replay would take by what restores to a moment measured. */
export interface ReplayForecast {
  /** Undefined where none was measured. */
  readonly seconds: number | undefined;
  /** How many it goes by. */
  readonly measurements: number;
}

/** Servers and their load change: what is older than these says little. */
const mostUsed = 9;

/**
 * By the median rate of the newest, oldest first. What was done in a log counts for more than how long it is: it is a
 * guess, and says by how many measurements.
 */
export function replayForecast(measured: readonly ReplayMeasurement[], bytes: number): ReplayForecast {
  const rates = measured
    .filter((one) => one.bytes > 0 && one.seconds > 0)
    .slice(-mostUsed)
    .map((one) => one.bytes / one.seconds)
    .toSorted((a, b) => a - b);
  const rate = rates[Math.floor((rates.length - 1) / 2)];
  return { seconds: rate === undefined ? undefined : bytes / rate, measurements: rates.length };
}

/** `12 s (by 3 measured)`. */
export function replayForecastText({ seconds, measurements }: ReplayForecast): string {
  return seconds === undefined
    ? 'not known (none was measured)'
    : `${roughText(seconds * 1000)} (by ${measurements} measured)`;
}

import type { ExpectedRestore } from '../job/expected.ts';
import { forecastText, type Forecast } from '../objective/forecast.ts';
import type { Context } from './context.ts';

/** What surrounds a restore in place, and is not counted. */
export const surroundings = ', beside what is stopped, saved and started';

/** What a restore is expected to take, before it begins. */
export function showExpected(expected: readonly ExpectedRestore[], { console }: Context, uncounted = ''): void {
  const [nearest] = expected;
  if (nearest === undefined) return;
  if (console.form === 'json')
    return console.record({ message_type: 'expected', copies: expected.map(expectedRecord) });
  const time = forecastText(nearest.forecast);
  console.say(`expected: ${time} to bring it back from ${nearest.repository}${uncounted}`);
}

export function expectedRecord({ repository, forecast }: ExpectedRestore): unknown {
  return { repository, ...forecastRecord(forecast) };
}

export function forecastRecord(forecast: Forecast): Readonly<Record<string, unknown>> {
  const { state, measurements } = forecast;
  if (forecast.state === 'unknown') return { state, measurements, needed: forecast.needed };
  const { seconds, stages, pastError } = forecast;
  return { state, seconds, stages, measurements, past_error: pastError ?? null };
}

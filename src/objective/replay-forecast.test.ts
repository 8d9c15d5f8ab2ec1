import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replayForecast, replayForecastText } from './replay-forecast.ts';

const mib = 2 ** 20;

test('how long a log takes to replay goes by the median rate of the newest that were measured', () => {
  const slow = { bytes: 100 * mib, seconds: 100 };
  const fast = { bytes: 100 * mib, seconds: 10 };
  const broken = { bytes: 100 * mib, seconds: 0.001 };
  assert.deepEqual(replayForecast([slow, fast, fast, broken], 50 * mib), { seconds: 5, measurements: 4 });
  const nine = Array.from({ length: 9 }, () => fast);
  assert.deepEqual(replayForecast([slow, slow, ...nine], 10 * mib), { seconds: 1, measurements: 9 });
  assert.equal(replayForecastText(replayForecast([fast], 600 * mib)), '1 min (by 1 measured)');
});

test('what nobody measured is not known', () => {
  const nothing = { bytes: 0, seconds: 3 };
  assert.deepEqual(replayForecast([nothing], mib), { seconds: undefined, measurements: 0 });
  assert.equal(replayForecastText(replayForecast([], mib)), 'not known (none was measured)');
});

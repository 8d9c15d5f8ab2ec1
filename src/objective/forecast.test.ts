import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { forecastOf, forecastText, total, type Forecast, type Measurement } from './forecast.ts';

const seconds = fc.double({ min: 0.001, max: 10_000, noNaN: true });
const size = fc.record({ bytes: fc.integer({ min: 0, max: 2 ** 40 }), files: fc.integer({ min: 0, max: 10_000_000 }) });
const stages = fc.record({ find: seconds, fetch: seconds, start: seconds, check: seconds });
const measurement: fc.Arbitrary<Measurement> = fc
  .tuple(fc.constantFrom('near', 'far'), size, stages)
  .map(([repository, of, took]) => ({ repository, ...of, stages: took }));
const history = fc.array(measurement, { maxLength: 40 });

const ofNear = (all: readonly Measurement[]): readonly Measurement[] =>
  all.filter(({ repository }) => repository === 'near');

function known(forecast: Forecast): Extract<Forecast, { readonly state: 'known' }> {
  assert.equal(forecast.state, 'known');
  return forecast;
}

function almost(found: number, wanted: number): void {
  assert.ok(Math.abs(found - wanted) <= 1e-9 * Math.max(1, Math.abs(wanted)), `${found} is not ${wanted}`);
}

test('too few restores from that very repository, or a point without a size, are no forecast, and it says how many', () => {
  fc.assert(
    fc.property(history, size, (all, of) => {
      const count = ofNear(all).length;
      const forecast = forecastOf(all, 'near', of);
      if (count >= 3) assert.equal(known(forecast).measurements, Math.min(count, 9));
      else assert.deepEqual(forecast, { state: 'unknown', measurements: count, needed: 3 });
      assert.equal(forecastOf(all, 'near', undefined).state, 'unknown');
    }),
    { numRuns: 300 },
  );
});

test('each part lies between the least and the most that was measured, fetching by its rate', () => {
  fc.assert(
    fc.property(history, (all) => {
      const near = ofNear(all);
      if (near.length < 3) return;
      const one = { bytes: 2 ** 30, files: 1000 };
      const { stages: parts, seconds: sum } = known(forecastOf(all, 'near', one));
      for (const [part, of] of [
        ['find', near],
        ['start', all],
        ['check', all],
      ] as const) {
        const took = of.map((each) => each.stages[part]);
        assert.ok(Math.min(...took) <= parts[part] && parts[part] <= Math.max(...took), part);
      }
      almost(sum, total(parts));
      const [first] = near;
      assert.ok(first !== undefined);
      const same = Array.from({ length: 3 }, () => first);
      almost(known(forecastOf(same, 'near', first)).stages.fetch, first.stages.fetch);
    }),
    { numRuns: 300 },
  );
});

test('twice the bytes and files take twice as long to fetch, and no longer to find, start and check', () => {
  fc.assert(
    fc.property(history, size, (all, { bytes, files }) => {
      fc.pre(ofNear(all).length >= 3 && bytes > 0);
      const one = known(forecastOf(all, 'near', { bytes, files })).stages;
      const two = known(forecastOf(all, 'near', { bytes: 2 * bytes, files: 2 * files })).stages;
      almost(two.fetch, 2 * one.fetch);
      assert.deepEqual({ ...two, fetch: 0 }, { ...one, fetch: 0 });
    }),
    { numRuns: 300 },
  );
});

test('the past error is what forecasts from before each restore would have missed; what came later changes none of it', () => {
  fc.assert(
    fc.property(history, size, (all, of) => {
      fc.pre(ofNear(all).length >= 3);
      const errors = all.flatMap((one, at) => {
        const before = forecastOf(all.slice(0, at), 'near', one);
        if (one.repository !== 'near' || before.state === 'unknown') return [];
        return [total(one.stages) / Math.max(before.seconds, 0.001) - 1];
      });
      const newest = errors.slice(-30);
      const { pastError } = known(forecastOf(all, 'near', of));
      if (errors.length === 0) return assert.equal(pastError, undefined);
      assert.equal(pastError?.compared, newest.length);
      almost(pastError?.longer ?? Number.NaN, Math.max(0, ...newest));
      almost(pastError?.shorter ?? Number.NaN, Math.min(0, ...newest));
    }),
    { numRuns: 200 },
  );
});

test('a recovery that always takes the same is forecast without error', () => {
  fc.assert(
    fc.property(measurement, fc.integer({ min: 4, max: 20 }), (one, times) => {
      const same = Array.from({ length: times }, () => one);
      const { pastError, seconds: forecast } = known(forecastOf(same, one.repository, one));
      almost(forecast, total(one.stages));
      assert.equal(pastError?.compared, times - 3);
      almost(pastError?.longer ?? Number.NaN, 0);
      almost(pastError?.shorter ?? Number.NaN, 0);
    }),
    { numRuns: 100 },
  );
});

test('one slow restore among nine moves the forecast by little, and shows in its past error', () => {
  const one = (fetch: number): Measurement => ({
    repository: 'near',
    bytes: 1e9,
    files: 10,
    stages: { find: 1, fetch, start: 5, check: 4 },
  });
  const all = [90, 91, 92, 290, 90, 89, 91, 90, 92].map(one);
  const { seconds: forecast, pastError } = known(forecastOf(all, 'near', { bytes: 1e9, files: 10 }));
  assert.ok(forecast >= 100 && forecast <= 102, String(forecast));
  assert.deepEqual([pastError?.compared, Math.round((pastError?.longer ?? 0) * 100)], [6, 197]);
  const text = forecastText(forecastOf(all, 'near', { bytes: 25e9, files: 10 }));
  assert.equal(text, '38 min (past error +197 %/−2 %, 6 verifications)');
  assert.equal(forecastText(forecastOf(all, 'far', { bytes: 1, files: 1 })), 'not known (0 of 3 restores measured)');
});

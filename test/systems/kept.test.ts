import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { zoneOf } from '../../src/clock/zone.ts';
import { countedPeriods, type KeepPolicy } from '../../src/retention/keep.ts';
import { applyPolicy } from '../../src/retention/policy.ts';
import { budget } from '../budget.ts';
import { kept } from './kept.ts';

const hour = 3600;
const three = 3 * 365 * 24;

/** Hours of three years, so that periods of every length have some and lack some. */
const times = fc.uniqueArray(fc.integer({ min: 0, max: three }), { maxLength: 60 });
const counts = fc.record(
  Object.fromEntries(countedPeriods.map((period) => [period, fc.oneof(fc.nat(20), fc.constant('unlimited' as const))])),
  { requiredKeys: [] },
);
const within = fc.option(
  fc.integer({ min: 0, max: 800 }).map((days) => ({ years: 0, months: 0, days, hours: 0 })),
  { nil: undefined },
);

test('what the program keeps is what an oracle of the keep rules, written apart from it, demands', () => {
  fc.assert(
    fc.property(times, counts, within, (hours, byCount, byAge) => {
      const held = hours.map((at) => {
        const timeNs = BigInt(1_700_000_000 + at * hour) * 1_000_000_000n;
        const time = new Temporal.Instant(timeNs).toString();
        return { id: time, identity: time, time, timeNs, hostname: 'h', paths: [], tags: [] };
      });
      const keep: KeepPolicy = { counts: byCount, within: byAge, withinEach: {}, tags: [] };
      const moment = { nowNs: BigInt(2_000_000_000) * 1_000_000_000n, zone: zoneOf('UTC') };
      const names = (all: readonly { readonly id: string }[]): readonly string[] => all.map(({ id }) => id).toSorted();
      assert.deepEqual(names(kept(held, keep)), names(applyPolicy(held, keep, moment).keep));
    }),
    { numRuns: budget.propertyRuns },
  );
});

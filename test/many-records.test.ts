import assert from 'node:assert/strict';
import { test } from 'node:test';
import { s3Place } from '../bench/places.ts';
import { budget, isFullBudget } from './budget.ts';
import { prove } from './support/proof.ts';
import { readManyRecords } from './support/reading-records.ts';
import { tempDir } from './support/temp-dir.ts';

const components = ['shop', 'mail', 'wiki', 'web'];

/** Where others are at work beside it the CPU time counts; what is wanted of `warm` on a machine of its own is 2. */
const mostSeconds = { cold: 20, warm: 4 };

for (const [layout, share] of [
  ['bundles', 1],
  ['loose', 0.1],
] as const)
  test(`records on S3 (${layout}) are read from the repository alone, and once more from what this host remembers`, async (context) => {
    await using dir = await tempDir();
    await using place = await s3Place(0);
    const records = budget.records * share;
    const address = place.address('/records');
    const read = await readManyRecords({ address, env: place.env, folder: dir.path, records, components, layout });
    for (const one of [read.cold, read.warm]) assert.deepEqual([one.lines, one.code], [records, 0]);
    assert.ok(read.filtered.lines > 0 && read.filtered.lines < records / 4);
    // All is intact; no second repository can say whether the end was cut off.
    assert.deepEqual([read.verify.lines, read.verify.code], [components.length, 5]);
    const seconds = [read.cold, read.warm, read.filtered, read.verify].map(
      (one) => `${one.seconds.toFixed(1)} (${one.cpuSeconds.toFixed(1)})`,
    );
    prove(context, {
      claim: 'records are read from S3, and from what is remembered',
      count: `${records} records`,
      table: {
        title: 'Seconds to read records on S3 (of CPU time)',
        columns: ['layout', 'records', 'repository alone', 'remembered', 'filtered', '--verify'],
        rows: [[layout, String(records), ...seconds]],
      },
    });
    if (!isFullBudget || layout === 'loose') return;
    for (const how of ['cold', 'warm'] as const) {
      const least = Math.min(read[how].seconds, read[how].cpuSeconds);
      assert.ok(least <= mostSeconds[how], `${how}: ${least} s, more than ${mostSeconds[how]}`);
    }
  });

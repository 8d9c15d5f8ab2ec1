import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { median, pairedRatio } from '../bench/results.ts';
import { withoutRestic } from './servers/restic.ts';
import { runOk } from './support/run-program.ts';
import { tempDir } from './support/temp-dir.ts';

const skip = withoutRestic('0.19.1');

test('the bench runs each phase of each tool, compares what was restored, and prints ratios', { skip }, async () => {
  await using dir = await tempDir();
  const script = join(import.meta.dirname, '../bench/bench.ts');
  const what = ['--sets', 'pages', '--scale', '0.01', '--rounds', '1', '--peers', 'restic', '--work', dir.file('work')];
  const options = { timeoutMs: 120_000 };
  const printed = await runOk(process.execPath, ['--disable-warning=ExperimentalWarning', script, ...what], options);
  const rows = printed.toString().trim().split('\n');
  for (const phase of ['open', 'first', 'unchanged', '2 % rewritten', 'restore']) {
    const [ours, theirs] = rows.filter((row) => row.startsWith(`| pages ${phase} |`)).toSorted();
    assert.match(ours ?? '', /\| holdfast \| [\d.]+ \/ [\d.]+ \/ \d+ \|/);
    assert.match(theirs ?? '', /\| restic \| .* \| [\d.]+ \| [\d.]+ \| [\d.]+ \|$/);
  }
  assert.match(rows.at(-1) ?? '', /\| pages \| repository, MiB \| /);
});

test('ratios are medians of pairs, so that a slow minute hits both', () => {
  const runs = (...walls: readonly number[]) => walls.map((wallMs) => ({ status: 0, wallMs, cpuMs: 1, peakMiB: 1 }));
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  assert.equal(pairedRatio(runs(1, 10, 3), runs(2, 20, 4), 'wallMs'), 0.5);
});

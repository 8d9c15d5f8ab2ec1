import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resticOk, withoutRestic } from './servers/restic.ts';
import { jsonLines, scene, type JsonRecord, type Scene } from './support/scene.ts';

const skip = withoutRestic('0.19.1');

/** Six snapshots over three years, two of them tagged. */
async function history(): Promise<Scene> {
  const on = await scene();
  const times = ['2023-11-02 10:00:00', '2024-11-03 10:00:00', '2025-06-04 10:00:00', '2025-08-05 10:00:00'];
  for (const time of times) await on.backup(on.source, '--host', 'one', '--time', time);
  for (const time of ['2025-08-06 10:10:00', '2025-08-06 10:40:00']) {
    await on.backup(on.source, '--host', 'one', '--time', time, '--tag', 'kept,two');
  }
  return on;
}

/** For each group, in any order, the IDs that are kept and those that are removed. */
function decision(records: readonly JsonRecord[]): readonly (readonly (readonly string[])[])[] {
  const groups = records.filter((one) => 'keep' in one).map(({ keep, remove }) => [idsOf(keep), idsOf(remove)]);
  return groups.toSorted((one, other) => (String(one) < String(other) ? -1 : 1));
}

function idsOf(list: unknown): readonly string[] {
  return jsonLines(JSON.stringify(list ?? []))
    .map(({ id }) => String(id))
    .toSorted();
}

const rules: readonly (readonly string[])[] = [
  ...['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'].map((name) => [`--keep-${name}`, '2']),
  ['--keep-within', '1d'],
  ...['hourly', 'daily', 'weekly', 'monthly', 'yearly'].map((name) => [`--keep-within-${name}`, '1y']),
  ['--keep-tag', 'kept,two'],
  ['--keep-last', '1', '--group-by', 'host,tags'],
];

test('each keep rule of forget, and --group-by, keep and remove what restic does', { skip }, async (context) => {
  await using on = await history();
  for (const rule of rules) {
    await context.test(rule.join(' '), async () => {
      const args = ['forget', '--dry-run', '--json', ...rule];
      const theirs = decision(jsonLines(await resticOk('0.19.1', on.at, args)));
      assert.deepEqual(decision(jsonLines(await on.ok(...args))), theirs);
      assert.notDeepEqual(theirs, []);
    });
  }
  assert.equal((await on.ok('list', 'snapshots')).trim().split('\n').length, 6, 'a dry run removes nothing');
});

test('quarters are kept on demand, and no group is emptied unless insisted', async () => {
  await using on = await history();
  const [[kept = [], removed = []] = []] = decision(
    await on.records('forget', '--dry-run', '--keep-quarterly', '2', '--group-by', 'host'),
  );
  assert.deepEqual([kept.length, removed.length], [2, 4]);
  const emptying = ['forget', '--keep-tag', 'nobody-has-it'];
  assert.notEqual((await on.run(emptying)).code, 0);
  assert.equal((await on.ok('list', 'snapshots')).trim().split('\n').length, 6);
  await on.ok('forget', '--unsafe-allow-remove-all', '--host', 'one');
  assert.equal((await on.ok('list', 'snapshots')).trim(), '');
});

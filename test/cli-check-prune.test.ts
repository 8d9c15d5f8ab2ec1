import assert from 'node:assert/strict';
import { appendFileSync, chmodSync, existsSync, readFileSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../src/clock/clock.ts';
import { scene, type Scene } from './support/scene.ts';

/** Flips a bit in the first blob of every pack. */
function damagePacks(repository: string): void {
  for (const pack of packsOf(repository)) {
    const bytes = readFileSync(pack);
    bytes[20] = (bytes[20] ?? 0) ^ 1;
    chmodSync(pack, 0o600);
    writeFileSync(pack, bytes);
  }
}

function packsOf(repository: string): readonly string[] {
  const data = join(repository, 'data');
  const files = readdirSync(data, { withFileTypes: true, recursive: true }).filter((entry) => entry.isFile());
  return files.map((file) => join(file.parentPath, file.name)).toSorted();
}

const subsets = [['--read-data'], ...['1/1', '100%', '500M'].map((part) => ['--read-data-subset', part])];

test('check reads data when asked, whole or a part by number, percentage or size, and finds what is damaged there', async () => {
  await using on = await scene();
  await on.backup(on.source);
  for (const args of subsets) await on.ok('check', ...args);
  damagePacks(on.at.repository);
  for (const args of subsets) assert.equal((await on.run(['check', ...args])).code, 1, args.join(' '));
  assert.equal((await on.run(['check', '--read-data-subset', '3/2'])).code, 2);
});

async function withUnused(): Promise<Scene> {
  const on = await scene();
  await on.backup(on.source);
  appendFileSync(join(on.source, 'a.txt'), 'more\n');
  await on.backup(on.source);
  await on.ok('forget', '--keep-last', '1');
  return on;
}

test('prune takes its limits from the command line, shows a plan without changing anything, then removes', async () => {
  await using on = await withUnused();
  const before = packsOf(on.at.repository);
  const toRepack = async (...args: readonly string[]): Promise<unknown> => {
    const [summary] = await on.records('prune', '--dry-run', ...args);
    return Reflect.get(Object(summary?.['packfiles']), 'repack');
  };
  // Packs of trees are repacked whatever the limit, those of data only beyond it.
  assert.ok(Number(await toRepack('--max-unused', 'unlimited')) <= Number(await toRepack('--max-unused', '0')));
  assert.notEqual(await toRepack('--max-unused', '0'), 0);
  assert.equal(await toRepack('--max-unused', '0', '--max-repack-size', '0'), 0);
  for (const flag of ['--repack-small', '--repack-uncompressed', '--repack-cacheable-only']) {
    await on.ok('prune', '--dry-run', flag);
  }
  assert.equal((await on.run(['prune', '--max-unused', 'some'])).code, 2);
  assert.deepEqual(packsOf(on.at.repository), before);
  await on.ok('prune', '--max-unused', '0');
  assert.notDeepEqual(packsOf(on.at.repository), before);
  await on.ok('check', '--read-data');
});

test('prune removes what interrupted writes left a day ago, and says how much', async () => {
  await using on = await withUnused();
  const now = Number(systemClock.nowNs() / 1_000_000_000n);
  const [old, young] = ['old', 'young'].map((name) => join(on.at.repository, 'data', `~holdfast-${name}`));
  for (const [path, ageHours] of [
    [old, 25],
    [young, 23],
  ] as const) {
    writeFileSync(path ?? '', 'half a pack');
    utimesSync(path ?? '', now, now - ageHours * 3600);
  }
  await on.ok('prune', '--dry-run');
  assert.ok(existsSync(old ?? ''));
  assert.match(await on.ok('prune'), /^removed what interrupted writes had left: 1 file$/m);
  assert.deepEqual(
    [old, young].map((path) => existsSync(path ?? '')),
    [false, true],
  );
  assert.doesNotMatch(await on.ok('prune'), /interrupted/);
  utimesSync(young ?? '', now, now - 25 * 3600);
  assert.deepEqual((await on.records('prune')).find((one) => one['message_type'] === 'leftovers')?.['removed'], 1);
});

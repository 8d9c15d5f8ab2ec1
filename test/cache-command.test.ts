import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { systemClock } from '../src/clock/clock.ts';
import { openLocal } from '../src/storage/local.ts';
import { holdfastOk, type RepositoryAt } from './support/holdfast.ts';
import { newRepository, testPassword } from './support/repository.ts';
import { tempDir, type TempDir } from './support/temp-dir.ts';

const daySeconds = 86_400;

/** The ID of a repository that was used with the cache in `dir`, which it says was `daysAgo`. */
async function usedRepository(dir: TempDir, name: string, daysAgo: number): Promise<string> {
  const at = { repository: dir.file(name), password: testPassword };
  const storage = await openLocal(at.repository, { create: true });
  await using made = await newRepository(storage);
  writeFileSync(dir.file('file'), name);
  await holdfastOk(at, ['--cache-dir', dir.file('cache'), 'backup', dir.file('file')]);
  const { id } = made.config;
  const seconds = Number(systemClock.nowNs() / 1_000_000_000n) - daysAgo * daySeconds - 60;
  utimesSync(dir.file('cache', 'holdfast', id), seconds, seconds);
  return id;
}

/** The command needs no repository and no password. */
const nowhere: RepositoryAt = { repository: '/nonexistent', password: '' };

async function cache(dir: TempDir, ...args: readonly string[]): Promise<string> {
  return await holdfastOk(nowhere, ['cache', '--cache-dir', dir.file('cache'), ...args]);
}

test('cache lists the cache of each repository, the longest unused first, with its age and size', async () => {
  await using dir = await tempDir();
  const young = await usedRepository(dir, 'young', 3);
  const old = await usedRepository(dir, 'old', 40);
  const [first, second] = JSON.parse(await cache(dir, '--json')) as Record<string, unknown>[];
  assert.deepEqual({ ...first, size: 0 }, { repository: old, days: 40, old: true, size: 0 });
  assert.deepEqual({ ...second, size: 0 }, { repository: young, days: 3, old: false, size: 0 });
  assert.ok(Number(first?.['size']) > 0);
  const text = await cache(dir);
  assert.match(text, new RegExp(`^${old.slice(0, 10)} +40 days ago +yes +\\S+ (B|KiB)$`, 'm'));
  assert.match(text, /^2 caches in /m);
  const withoutSizes = JSON.parse(await cache(dir, '--json', '--no-size')) as Record<string, unknown>[];
  assert.ok(withoutSizes.every((one) => !('size' in one)));
});

test('cache --cleanup removes what was unused for --max-age days, and no other program’s cache', async () => {
  await using dir = await tempDir();
  const young = await usedRepository(dir, 'young', 3);
  const old = await usedRepository(dir, 'old', 40);
  const foreign = dir.file('cache', 'restic', old);
  mkdirSync(foreign, { recursive: true });
  utimesSync(foreign, 0, 0);
  const left = (): readonly string[] => readdirSync(dir.file('cache', 'holdfast')).filter((name) => name.length === 64);
  await cache(dir, '--cleanup', '--max-age', '41');
  assert.deepEqual(left().toSorted(), [old, young].toSorted());
  assert.deepEqual(JSON.parse(await cache(dir, '--cleanup', '--json')), { message_type: 'removed', caches: [old] });
  assert.deepEqual(left(), [young]);
  await cache(dir, '--cleanup', '--max-age', '2');
  assert.deepEqual(left(), []);
  assert.ok(existsSync(foreign));
});

test('cache of a machine without any says so', async () => {
  await using dir = await tempDir();
  assert.deepEqual(JSON.parse(await cache(dir, '--json')), []);
  assert.match(await cache(dir), /0 caches in /);
});

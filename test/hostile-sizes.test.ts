import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../src/clock/clock.ts';
import type { ErrorCode } from '../src/errors/codes.ts';
import { silent } from '../src/events/events.ts';
import { lockRepository } from '../src/repository/lock.ts';
import { configKey } from '../src/repository/layout.ts';
import type { Repository } from '../src/repository/repository.ts';
import { anySnapshot, listSnapshots } from '../src/snapshot/snapshots.ts';
import { openLocal } from '../src/storage/local.ts';
import { jobContext, newRepository } from './support/engine.ts';
import { checked } from './support/operations.ts';
import { tempDir, type TempDir } from './support/temp-dir.ts';

/** More than a machine would give; as a hole it takes no room. */
const vastBytes = 64 * 2 ** 30;
/** What opening, listing and locking may take beside what was taken before. */
const boundMiB = 200;
const name = 'f'.repeat(64);

interface Stage {
  readonly dir: TempDir;
  readonly open: () => Promise<Repository>;
}

async function stageOf(dir: TempDir): Promise<Stage> {
  await using _made = await newRepository(await openLocal(dir.path, { create: true }));
  return { dir, open: async () => jobContext(await openLocal(dir.path)).access.open() };
}

function makeVast({ dir }: Stage, key: string): void {
  mkdirSync(dirname(dir.file(key)), { recursive: true });
  rmSync(dir.file(key), { force: true });
  writeFileSync(dir.file(key), '');
  truncateSync(dir.file(key), vastBytes);
}

function peakMiB(): number {
  return process.resourceUsage().maxRSS / 1024;
}

/** A lock that can't be read is asked for again after pauses. */
const hastyClock = { ...systemClock, sleep: async () => undefined };

async function lock(stage: Stage): Promise<void> {
  await using repository = await stage.open();
  const { holder } = jobContext(repository.storage).access;
  const { signal } = new AbortController();
  const options = { mode: 'shared', holder, clock: hastyClock, retryMs: 0, signal, listener: silent } as const;
  await using _lock = await lockRepository(repository, options);
}

const uses: readonly {
  readonly file: string;
  readonly code: ErrorCode;
  readonly use: (stage: Stage) => Promise<unknown>;
}[] = [
  { file: configKey, code: 'damaged', use: async ({ open }) => open() },
  { file: `index/${name}`, code: 'damaged', use: async ({ open }) => (await open()).loadIndex(silent) },
  { file: `locks/${name}`, code: 'locked', use: lock },
];

for (const { file, code, use } of uses) {
  test(`a vast file is refused unread: ${file.split('/')[0]}`, async () => {
    await using dir = await tempDir();
    const stage = await stageOf(dir);
    makeVast(stage, file);
    const before = peakMiB();
    await assert.rejects(use(stage), { code });
    assert.ok(peakMiB() - before < boundMiB, `it took ${peakMiB() - before} MiB`);
  });
}

test('a key file of gigabytes is passed over, and is the reason where it is the only one', async () => {
  await using dir = await tempDir();
  const stage = await stageOf(dir);
  const [real = ''] = readdirSync(dir.file('keys'));
  const before = peakMiB();
  makeVast(stage, `keys/${'0'.repeat(64)}`);
  await using repository = await stage.open();
  const unreadable: string[] = [];
  assert.equal((await repository.keys.list((id) => unreadable.push(id))).length, 1);
  assert.deepEqual(unreadable, ['0'.repeat(64)]);
  makeVast(stage, `keys/${real}`);
  await assert.rejects(stage.open(), { code: 'damaged' });
  assert.ok(peakMiB() - before < boundMiB, `it took ${peakMiB() - before} MiB`);
});

test('a snapshot of gigabytes is listed as unreadable, and check names it', async () => {
  await using dir = await tempDir();
  const stage = await stageOf(dir);
  makeVast(stage, `snapshots/${name}`);
  const before = peakMiB();
  await using repository = await stage.open();
  const [found] = await listSnapshots(repository, anySnapshot);
  assert.equal(found?.kind, 'failed');
  const { codes, messages } = await checked(jobContext(await openLocal(dir.path)), 'structure');
  assert.deepEqual(codes, ['snapshot-unreadable']);
  assert.match(messages[0] ?? '', /more than any such object has/);
  assert.ok(peakMiB() - before < boundMiB, `it took ${peakMiB() - before} MiB`);
});

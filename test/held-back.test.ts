import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { systemClock } from '../src/clock/clock.ts';
import { ManualClock } from '../src/clock/manual-clock.ts';
import type { Event } from '../src/events/events.ts';
import { HoldfastError } from '../src/errors/error.ts';
import { heldBack } from '../src/repository/held-back.ts';
import { VersionedMemoryStorage } from '../src/storage/memory-versions.ts';
import { openStorage } from '../src/storage/open.ts';
import type { Storage } from '../src/storage/storage.ts';
import { isLockable, type VersionInfo } from '../src/storage/versions.ts';
import { withoutGo } from './servers/go-program.ts';
import { s3Servers } from './servers/s3-servers.ts';
import { jobContext, newRepository } from './support/engine.ts';
import { servedOk } from './support/holdfast.ts';
import { pruneAll } from './support/operations.ts';
import { blobBytes, storeBlobs } from './support/repository.ts';
import { jsonLines } from './support/scene.ts';
import { tempDir } from './support/temp-dir.ts';
import { cheapRepositoryAt } from './support/two-tools.ts';

const hourMs = 3_600_000;
const { signal } = new AbortController();

/** Old versions behind markers, of what is no lock of the repository. */
async function behindMarkers(storage: Storage): Promise<readonly VersionInfo[]> {
  const all: VersionInfo[] = await Array.fromAsync(storage.versions?.list('') ?? []);
  const hidden = new Set(all.filter(({ latest, deleted }) => latest && deleted).map(({ key }) => key));
  return all.filter(({ key, deleted }) => !deleted && hidden.has(key) && isLockable(key));
}

function bytesOf(versions: readonly VersionInfo[]): number {
  return versions.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

async function unneeded(retentionMs?: number): Promise<{ storage: VersionedMemoryStorage; clock: ManualClock }> {
  const clock = new ManualClock({ startNs: systemClock.nowNs() });
  const retention = retentionMs === undefined ? undefined : ({ ms: retentionMs, mode: 'compliance' } as const);
  const storage = new VersionedMemoryStorage(clock, retention);
  await storeBlobs(await newRepository(storage), 'data', [blobBytes('one', 100_000), blobBytes('two', 5000)]);
  return { storage, clock };
}

test('what a prune hid behind markers counts as held until its old versions are gone, and from when locks end', async () => {
  const { storage, clock } = await unneeded(2 * hourMs);
  const endNs = clock.nowNs() + BigInt(2 * hourMs) * 1_000_000n;
  const { heldBack: held } = await pruneAll(jobContext(storage));
  const hidden = await behindMarkers(storage);
  const whole = { objects: hidden.length, bytes: bytesOf(hidden) };
  assert.ok(whole.bytes > 105_000);
  assert.deepEqual(held, { ...whole, locked: whole, lockedUntilNs: endNs, freedObjects: 0 });
  clock.advance(2 * hourMs);
  const unlocked = { locked: { objects: 0, bytes: 0 }, lockedUntilNs: undefined };
  assert.deepEqual(await heldBack(storage, { clock, signal }), { ...whole, ...unlocked, freedObjects: 0 });
  for (const { key, version } of hidden) await storage.versions.remove(key, version);
  const none = { objects: 0, bytes: 0, ...unlocked, freedObjects: whole.objects };
  assert.deepEqual(await heldBack(storage, { clock, signal }), none);
});

test('where nothing is kept, and where nothing was removed, nothing is held', async () => {
  const repository = await newRepository();
  await storeBlobs(repository, 'data', [blobBytes('one', 1000)]);
  assert.equal((await pruneAll(jobContext(repository.storage))).heldBack, undefined);
  const { storage } = await unneeded();
  assert.equal((await pruneAll(jobContext(storage), { mode: 'dry-run' })).heldBack, undefined);
});

test('that it can’t be told what old versions hold is a warning, and the prune is done', async () => {
  const { storage } = await unneeded();
  const denied = (): never => {
    throw new HoldfastError('storage-denied', 'not allowed');
  };
  Object.assign(storage.versions, { list: denied });
  const events: Event[] = [];
  const listener = (event: Event): void => void events.push(event);
  const outcome = await pruneAll({ ...jobContext(storage), listener });
  assert.equal(outcome.heldBack, undefined);
  assert.ok(events.some((event) => event.kind === 'warning' && /how much room it still takes/.test(event.message)));
  assert.equal((await Array.fromAsync(storage.list('data/'))).length, 0);
});

for (const { name, start } of s3Servers) {
  test(
    `on ${name} forget and prune claim no room that old versions still take`,
    { skip: withoutGo(), timeout: 300_000 },
    async () => {
      await using server = await start();
      await using dir = await tempDir();
      const options = { env: server.owner, cwd: dir.path };
      const twice = async (bucket: string, ...lock: readonly string[]): Promise<readonly [Storage, ...string[]]> => {
        const locking = new Map(lock.length === 0 ? [] : [['s3.lock', '1h']]);
        const settings = { environment: server.owner, options: locking };
        const at = await cheapRepositoryAt(`s3:${server.endpoint}/${bucket}`, settings);
        for (const content of ['one', 'two', 'three']) {
          await writeFile(dir.file('file'), Buffer.from(blobBytes(content, 50_000)));
          await servedOk(at, ['backup', 'file', ...lock], options);
        }
        const first = await servedOk(at, ['forget', '--keep-last', '2'], options);
        const second = await servedOk(at, ['forget', '--keep-last', '1', '--prune', '--instant', '--json'], options);
        return [await openStorage(at.repository, { environment: server.owner }), first, second];
      };
      const [locked, forgot = '', pruned = ''] = await twice('locked', '-o', 's3.lock=1h');
      await using _locked = locked;
      const hidden = (await behindMarkers(locked)).filter(({ key }) => !key.startsWith('snapshots/'));
      assert.match(
        forgot,
        /nothing is free yet: 1 object, \d+ B, hidden by markers.*\n.*1 object, \d+ B, are locked, the last until \d{4}/,
      );
      const record = jsonLines(pruned).find((one) => one['message_type'] === 'old_versions');
      assert.ok(record && bytesOf(hidden) > 100_000, pruned);
      const { objects, bytes } = record['held'] as { readonly objects: number; readonly bytes: number };
      assert.equal(objects, hidden.length + 1);
      assert.ok(bytes > bytesOf(hidden) && bytes < bytesOf(hidden) + 2000);
      assert.deepEqual([record['locked'], record['freed']], [record['held'], { objects: 0 }]);
      assert.ok(Temporal.Instant.compare(String(record['locked_until']), Temporal.Now.instant()) > 0);

      const [plain, freed = '', gone = ''] = await twice('plain');
      await using _plain = plain;
      assert.doesNotMatch(freed + gone, /free yet|old_versions/);
    },
  );
}

import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { componentContextOver } from '../../test/support/component-context.ts';
import { MovableClock } from '../../test/support/movable-clock.ts';
import { newRepository } from '../../test/support/repository.ts';
import { tempDir, type TempDir } from '../../test/support/temp-dir.ts';
import { rawPathOf } from '../bytes/ids.ts';
import { HoldfastError } from '../errors/error.ts';
import { loadPolicy } from '../policy/load.ts';
import { anySnapshot } from '../snapshot/snapshots.ts';
import { MemoryStorage } from '../storage/memory.ts';
import { VersionedMemoryStorage } from '../storage/memory-versions.ts';
import type { Storage } from '../storage/storage.ts';
import type { LockMode } from '../storage/versions.ts';
import { check } from './check.ts';
import { backupRule } from './component-backup.ts';
import { copyRule } from './component-copy.ts';
import { contextIn, type ComponentContext } from './component.ts';
import { statusOf, type ComponentStatus } from './status.ts';

const dayMs = 86_400_000;
const weekNs = BigInt(7 * dayMs) * 1_000_000n;

interface Scene {
  readonly clock: MovableClock;
  readonly context: ComponentContext;
  /** How often the storage was asked for a lock. */
  readonly asked: () => number;
  /** From now on it doesn't answer. */
  readonly refuse: () => void;
  readonly immutable: (component?: string) => Promise<ComponentStatus['objectives'][number]>;
}

/** One component, backed up into a bucket that locks for a week. */
async function scene(dir: TempDir, mode: LockMode, cache?: string): Promise<Scene> {
  await mkdir(dir.file('data'), { recursive: true });
  await writeFile(dir.file('data/file'), 'first\n');
  const clock = new MovableClock();
  const storage = new VersionedMemoryStorage(clock, { ms: 7 * dayMs, mode });
  await using _made = await newRepository(storage);
  const { policy } = loadPolicy(`version: 1
repositories:
  near: { url: /near, password: { env: P } }
  s3: { url: "s3:https://s3.example.com/acme", password: { env: P }, lock: { mode: ${mode}, for: 7d } }
tiers: { t: { immutable: 1 } }
components:
  uploads:
    tier: t
    files: { paths: [${dir.file('data')}] }
    backups: { hourly: { every: 1h, to: { s3: { keep: { last: 7 } } } } }
  copied:
    tier: t
    files: { paths: [${dir.file('data')}] }
    backups: { hourly: { every: 1h, to: { near: { keep: { last: 7 } }, s3: { keep: { last: 7 } } } } }
`);
  const component = policy?.components['uploads'];
  const rule = component?.backups['hourly'];
  assert.ok(policy && component && rule);
  let [asked, answers] = [0, true];
  const lockOf = storage.versions.lockOf.bind(storage.versions);
  Object.assign(storage.versions, {
    lockOf: async (...given: Parameters<typeof lockOf>) => {
      asked += 1;
      if (!answers) throw new HoldfastError('storage-timeout', 'nobody answers');
      return await lockOf(...given);
    },
  });
  const plain = new MemoryStorage();
  await using _plain = await newRepository(plain);
  const storageOf = (name: string): Storage => (name === 'near' ? plain : storage);
  const over = { policy, storageOf, clock, stateFolder: dir.file('state') };
  const context = componentContextOver(over, cache === undefined ? {} : { cacheFolder: rawPathOf(cache) });
  await backupRule(context, { name: 'uploads', component, ruleName: 'hourly', rule });
  const immutable: Scene['immutable'] = async (name = 'uploads') => {
    const [status] = await statusOf(context, [name]);
    return status?.objectives.find(({ objective }) => objective === 'immutable') ?? assert.fail();
  };
  return { clock, context, asked: () => asked, refuse: () => void (answers = false), immutable };
}

test('status says until when nobody can remove the newest point, as the storage says of each object that it needs', async () => {
  await using dir = await tempDir();
  const { clock, immutable, asked } = await scene(dir, 'compliance');
  const { state, reached } = await immutable();
  assert.equal(state, 'met');
  const [, until = ''] = /^s3 until (\S+) \(read (?:under 1|\d+) s ago\)$/.exec(reached) ?? assert.fail(reached);
  const aheadNs = Temporal.Instant.from(until).epochNanoseconds - clock.nowNs();
  assert.ok(aheadNs <= weekNs && aheadNs > weekNs - 600_000_000_000n, until);
  // Config, key, index, snapshot, packs of data and of trees.
  assert.ok(asked() >= 6, String(asked()));
  clock.skipHours(8 * 24);
  const late = await immutable();
  assert.equal(late.state, 'broken');
  assert.match(late.reached, /NOT LOCKED: \d+ objects that it needs have no lock, such as \w+/);
});

test('a lock that an administrator can pass by is a risk, and says so', async () => {
  await using dir = await tempDir();
  const { immutable } = await scene(dir, 'governance');
  const { state, reached } = await immutable();
  assert.equal(state, 'at risk');
  assert.match(reached, /, not against an admin \(read/);
});

test('what was read serves for a day, and says when it was read; check --locks reads for it', async () => {
  await using dir = await tempDir();
  const { clock, context, immutable, asked } = await scene(dir, 'compliance', dir.file('cache'));
  const filter = anySnapshot;
  await check(contextIn(context, 's3'), { filter, locks: 'read', lockMemory: dir.file('cache'), random: () => 0 });
  const before = asked();
  clock.skipHours(12);
  const { state, reached } = await immutable();
  assert.equal(state, 'met');
  assert.match(reached, /\(read 12 h ago\)$/);
  assert.equal(asked(), before);
  clock.skipHours(24);
  assert.match((await immutable()).reached, /\(read (?:under 1|\d+) s ago\)$/);
  assert.ok(asked() > before);
});

test('a storage that can’t be asked for locks leaves them unknown', async () => {
  await using dir = await tempDir();
  const { immutable, refuse } = await scene(dir, 'compliance');
  refuse();
  const { state, reached } = await immutable();
  assert.deepEqual([state, reached], ['unknown', 's3 not known: nobody answers']);
});

test('a copy extends the locks of all that it shares with older ones', async () => {
  await using dir = await tempDir();
  const { clock, context, immutable } = await scene(dir, 'compliance');
  const { copied: component } = context.policy.components;
  const rule = component?.backups['hourly'];
  assert.ok(component && rule);
  const of = { name: 'copied', component, ruleName: 'hourly', rule };
  const ends: bigint[] = [];
  for (const text of ['first', 'second']) {
    await writeFile(dir.file(`data/${text}`), text);
    await backupRule({ ...context, askedNs: clock.nowNs() }, of);
    const way = { from: 'near', to: 's3', onPlan: () => undefined, onCopied: () => undefined };
    const outcome = await copyRule(context, of, way);
    assert.ok(outcome !== undefined && 'copied' in outcome);
    ends.push((outcome.immutableUntilNs ?? assert.fail('not immutable')) - clock.nowNs());
    clock.skipHours(5 * 24);
  }
  for (const end of ends) assert.ok(end > (weekNs * 8n) / 10n && end <= weekNs, String(end));
  const { state, reached } = await immutable('copied');
  assert.equal(state, 'met', reached);
});

test('a reading from the future, which a wrong clock left behind, is not taken for a fresh one', async () => {
  await using dir = await tempDir();
  const { clock, immutable, asked } = await scene(dir, 'compliance', dir.file('cache'));
  clock.skipHours(48);
  await immutable();
  clock.skipHours(-48);
  const before = asked();
  assert.doesNotMatch((await immutable()).reached, /read -/);
  assert.ok(asked() > before);
});

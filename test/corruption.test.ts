import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { displayPath, type FileId } from '../src/bytes/ids.ts';
import { systemClock, type Clock } from '../src/clock/clock.ts';
import type { ErrorCode } from '../src/errors/codes.ts';
import { HoldfastError } from '../src/errors/error.ts';
import { silent } from '../src/events/events.ts';
import { addKey } from '../src/job/keys.ts';
import type { JobContext } from '../src/job/job.ts';
import { loadReadableIndex } from '../src/job/readable-index.ts';
import { openRepository } from '../src/repository/open.ts';
import { loadSnapshot } from '../src/snapshot/snapshots.ts';
import { walkTree } from '../src/snapshot/walk.ts';
import { MemoryStorage, type Image } from '../src/storage/memory.ts';
import { seededRandom } from '../src/storage/seeded.ts';
import { budget } from './budget.ts';
import { cutOff, fileKinds, flipBit, keysOfKind, swapFiles, type DamagedKind } from './support/damage.ts';
import { cheapKey, examine, jobContext, newRepository, restoreSnapshot } from './support/engine.ts';
import { checked, keepLast, pruneAll, threeBackups, type Checked } from './support/operations.ts';
import { prove } from './support/proof.ts';
import { tempDir } from './support/temp-dir.ts';

/**
 * Stored bytes change behind our back. The check that claims to find it does, and names every file that is lost;
 * whatever it doesn't name still gives every byte.
 */
interface Stage {
  readonly image: Image;
  readonly snapshots: readonly FileId[];
  /** By snapshot and path. */
  readonly contents: ReadonlyMap<string, string>;
}

async function stageOf(image: Image): Promise<Stage> {
  const storage = new MemoryStorage(image);
  const { snapshots } = await examine(storage);
  return { image, snapshots, contents: await readAll(jobContext(storage), snapshots) };
}

/** Three backups, two keys, and a lock of another program. */
async function history(): Promise<Stage> {
  await using dir = await tempDir();
  const storage = new MemoryStorage(await threeBackups(dir));
  await addKey(jobContext(storage), async () => ({ ...cheapKey, password: 'other' }));
  return await stageOf(new Map(storage.durable));
}

/** Every file of the snapshots that can be read, with its content. */
async function readAll(context: JobContext, snapshots: readonly FileId[]): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  await using repository = await context.access.open();
  await loadReadableIndex(repository, silent);
  for (const id of snapshots) {
    const snapshot = await unlessHoldfastError(() => loadSnapshot(repository, id));
    if (snapshot === undefined) continue;
    for await (const item of walkTree(repository, snapshot.tree)) {
      if (item.kind === 'unreadable' || item.node.type !== 'file') continue;
      const { content } = item.node;
      const blobs = await unlessHoldfastError(() =>
        Promise.all((content ?? []).map((blob) => repository.readBlob('data', blob))),
      );
      if (blobs !== undefined) found.set(`${id}:${displayPath(item.path)}`, Buffer.concat(blobs).toString('latin1'));
    }
  }
  return found;
}

async function unlessHoldfastError<T>(task: () => Promise<T>): Promise<T | undefined> {
  try {
    return await task();
  } catch (error) {
    if (error instanceof HoldfastError) return undefined;
    throw error;
  }
}

/** What can't be read was named, by its own path or a folder's above; what can is as it was. */
async function assertNamed(stage: Stage, storage: MemoryStorage, found: Checked, where: string): Promise<void> {
  const now = await readAll(jobContext(storage), stage.snapshots);
  const named = new Set(found.affected.map(({ snapshot, path }) => `${snapshot}:${path}`));
  for (const [name, content] of stage.contents) {
    const text = now.get(name);
    if (text !== undefined) assert.ok(text === content, `${where}: ${name} has other bytes`);
    else assert.ok(isNamed(name, named, found), `${where}: ${name} is lost, and was not named`);
  }
}

function isNamed(name: string, named: ReadonlySet<string>, { messages }: Checked): boolean {
  const [snapshot = '', path = ''] = name.split(':');
  if (messages.some((message) => message.startsWith(`snapshot ${snapshot} `))) return true;
  const parts = path.split('/');
  return parts.some((_, depth) => named.has(`${snapshot}:${parts.slice(0, depth + 1).join('/') || '/'}`));
}

/** Locks are waited for a while: here not. */
const briskClock: Clock = { ...systemClock, sleep: async (ms, signal) => systemClock.sleep(Math.min(ms, 2), signal) };

function briskContext(storage: MemoryStorage): JobContext {
  const context = jobContext(storage);
  const open = async () => await openRepository({ storage, clock: briskClock, password: cheapKey.password });
  return { ...context, clock: briskClock, access: { ...context.access, open } };
}

const firstSeed = Number(process.env['HOLDFAST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const random = seededRandom(firstSeed);
const long = { timeout: 3_400_000 };

function pick<T>(from: readonly T[]): T {
  return from[Math.floor(random() * from.length)] ?? assert.fail('nothing to pick from');
}

/** What `check` finds without and with --read-data, or why it can't even begin. */
type Verdict = { readonly structure: Checked; readonly data: Checked } | { readonly refused: HoldfastError };

async function verdictOn(storage: MemoryStorage): Promise<Verdict> {
  try {
    const structure = await checked(briskContext(storage), 'structure');
    return { structure, data: await checked(briskContext(storage), 'data') };
  } catch (error) {
    if (error instanceof HoldfastError) return { refused: error };
    throw error;
  }
}

/** What a check claims to find: an error that it can't begin with, or a finding, with or without reading data. */
type Claim =
  | { readonly refused: ErrorCode; readonly saying: RegExp }
  | { readonly finding: string; readonly by: 'structure' | 'data' };

const unopened: Claim = { refused: 'damaged', saying: /config can't be opened/ };
const badLock: Claim = { refused: 'locked', saying: /^locks\/[0-9a-f]{8} can't be read/ };
const soundLock: Claim = { refused: 'locked', saying: /is locked by process/ };

function assertClaim(verdict: Verdict, claims: readonly Claim[], where: string): void {
  const kept = claims.some((claim) => keepsClaim(verdict, claim));
  const shown = 'refused' in verdict ? String(verdict.refused) : verdict.data.messages.join('\n');
  assert.ok(kept, `${where}: expected ${inspect(claims)}, found ${shown}`);
}

function keepsClaim(verdict: Verdict, claim: Claim): boolean {
  if ('refused' in verdict) {
    return 'refused' in claim && claim.refused === verdict.refused.code && claim.saying.test(verdict.refused.message);
  }
  return 'finding' in claim && verdict[claim.by].codes.includes(claim.finding);
}

/** A pack's bytes are compared by --read-data alone; what is left of a tree may be found before. */
const claims: Readonly<Record<DamagedKind, readonly Claim[]>> = {
  'config': [unopened],
  'key': [
    { finding: 'key-unreadable', by: 'structure' },
    { refused: 'wrong-password', saying: /keys\/[0-9a-f]{8} holds other bytes than its name says/ },
    { refused: 'damaged', saying: /^keys\/[0-9a-f]{8} holds other bytes than its name says/ },
  ],
  'index': [{ finding: 'index-unreadable', by: 'structure' }],
  'snapshot': [{ finding: 'snapshot-unreadable', by: 'structure' }],
  'data pack': [{ finding: 'pack-hash', by: 'data' }],
  'tree pack': [{ finding: 'pack-hash', by: 'data' }],
  'lock': [badLock],
};

async function addLocks(storage: MemoryStorage, ...pids: readonly number[]): Promise<void> {
  const repository = await jobContext(storage).access.open();
  for (const pid of pids) {
    const lock = { time: '2026-08-01T10:00:00Z', exclusive: false, hostname: 'elsewhere', username: 'ann', pid };
    await repository.writeFile('locks', Buffer.from(JSON.stringify(lock)));
  }
}

interface Trial {
  readonly stage: Stage;
  readonly storage: MemoryStorage;
  readonly kind: DamagedKind;
  /** Of that kind. */
  readonly keys: readonly string[];
}

/** Damages each kind of file so often, locks of these processes among them; `damage` says what it did, and what is to be found. */
async function eachKind(
  kinds: readonly DamagedKind[],
  locks: readonly number[],
  damage: (trial: Trial) => Promise<{ readonly what: string; readonly wanted: readonly Claim[] }>,
): Promise<string> {
  const stage = await history();
  let trials = 0;
  for (const kind of kinds) {
    for (let n = 0; n < budget.damages; n += 1) {
      const storage = new MemoryStorage(stage.image);
      if (kind === 'lock') await addLocks(storage, ...locks);
      const keys = await keysOfKind(storage, jobContext(storage), kind);
      const { what, wanted } = await damage({ stage, storage, kind, keys });
      const where = `${kind}, ${what}, seed ${firstSeed}`;
      const verdict = await verdictOn(storage);
      assertClaim(verdict, wanted, where);
      if ('data' in verdict) await assertNamed(stage, storage, verdict.data, where);
      if ('data' in verdict && n === 0) await assertOthersRestore(stage, storage, verdict.data, where);
      trials += 1;
    }
  }
  return `${trials} damaged repositories`;
}

/** Snapshots that check doesn't name come back whole. */
async function assertOthersRestore(
  { snapshots }: Stage,
  storage: MemoryStorage,
  { affected, messages }: Checked,
  where: string,
): Promise<void> {
  await using dir = await tempDir();
  for (const id of snapshots) {
    if (affected.some(({ snapshot }) => snapshot === id) || messages.some((message) => message.includes(id))) continue;
    const { failures } = await restoreSnapshot(briskContext(storage), id, dir.file(id));
    assert.equal(failures, 0, `${where}: snapshot ${id} does not restore`);
  }
}

test('a flipped bit in any kind of file is found, and what it costs is named', long, async (context) => {
  const count = await eachKind(fileKinds, [1], async ({ storage, kind, keys }) => {
    const key = pick(keys);
    await flipBit(storage, key, random);
    return { what: `a bit of ${key} flipped`, wanted: claims[kind] };
  });
  prove(context, { claim: 'a flipped bit is found, and what it costs is named', count, seeds: [firstSeed] });
});

test('a file of any kind that was cut is found, and what it costs is named', long, async (context) => {
  const count = await eachKind(fileKinds, [1], async ({ storage, kind, keys }) => {
    const key = pick(keys);
    await cutOff(storage, key, random);
    const isPack = kind === 'data pack' || kind === 'tree pack';
    return { what: `${key} cut`, wanted: isPack ? [{ finding: 'pack-size', by: 'structure' }] : claims[kind] };
  });
  prove(context, { claim: 'a file that was cut is found, and what it costs is named', count, seeds: [firstSeed] });
});

test('two files of any kind that were swapped are found, and what it costs is named', long, async (context) => {
  const other = await newRepository();
  const count = await eachKind(fileKinds, [1, 2], async ({ storage, kind, keys }) => {
    if (kind === 'config') {
      await storage.put('config', [await other.storage.get('config')]);
      return { what: 'of another repository', wanted: claims.config };
    }
    const one = pick(keys);
    const another = pick(keys.filter((key) => key !== one));
    await swapFiles(storage, one, another);
    return { what: `${one} and ${another} swapped`, wanted: claims[kind] };
  });
  prove(context, { claim: 'swapped files are found, and what it costs is named', count, seeds: [firstSeed] });
});

test('an older file under the name of a newer one is found, and what it costs is named', long, async (context) => {
  const kinds = fileKinds.filter((kind) => kind !== 'config');
  const count = await eachKind(kinds, [1, 2], async ({ storage, kind, keys }) => {
    const newer = pick(keys);
    const older = pick(keys.filter((key) => key !== newer));
    await storage.put(newer, [await storage.get(older)]);
    return { what: `${newer} replaced by ${older}`, wanted: kind === 'lock' ? [badLock, soundLock] : claims[kind] };
  });
  prove(context, { claim: 'an older file under a newer name is found', count, seeds: [firstSeed] });
});

/** Everything that a prune removed, and the stage that it left. */
async function prunedHistory(): Promise<{ readonly stage: Stage; readonly removed: Image }> {
  const { image } = await history();
  const storage = new MemoryStorage(image);
  await keepLast(jobContext(storage), 'leave');
  await pruneAll(jobContext(storage));
  const removed = new Map([...image].filter(([key]) => !storage.durable.has(key)));
  return { stage: await stageOf(new Map(storage.durable)), removed };
}

test('old files that are put back after they were removed cost nothing, and are found', long, async (context) => {
  const { stage, removed } = await prunedHistory();
  const kinds = new Set<string>();
  for (const [key, bytes] of removed) {
    const [kind = ''] = key.split('/');
    kinds.add(kind);
    const storage = new MemoryStorage(stage.image);
    await storage.put(key, [bytes]);
    const { errors, hints, affected } = await checked(briskContext(storage), 'structure');
    assert.ok(errors + hints > 0, `${key} put back is not found`);
    const lost = affected.map(({ snapshot }) => `snapshots/${snapshot}`);
    assert.ok(
      lost.every((snapshot) => snapshot === key),
      `${key} put back: ${lost.join(' ')} counts as lost`,
    );
    if (kind === 'snapshots') assert.ok(lost.length > 0, `${key} put back lacks nothing`);
    const now = await readAll(jobContext(storage), stage.snapshots);
    assert.deepEqual(now, stage.contents, `${key} put back`);
  }
  assert.deepEqual([...kinds].toSorted(), ['data', 'index', 'snapshots']);
  prove(context, { claim: 'old files that are put back are found and cost nothing', count: `${removed.size} files` });
});

test('an old lock or key that is put back counts again, and says so', long, async () => {
  const { image } = await history();
  const storage = new MemoryStorage(image);
  await addLocks(storage, 1);
  await assert.rejects(checked(briskContext(storage), 'structure'), { code: 'locked', message: /elsewhere/ });
  const [unwanted = ''] = await keysOfKind(storage, jobContext(storage), 'key');
  const bytes = await storage.get(unwanted);
  await storage.remove(unwanted);
  await storage.put(unwanted, [bytes]);
  const repository = await jobContext(storage).access.open();
  const keys = await repository.keys.list(() => assert.fail('every key can be read'));
  assert.ok(keys.some(({ id }) => unwanted.endsWith(id)));
});

test('what the cache holds does not hide what the storage lost', long, async (context) => {
  const stage = await history();
  let found = 0;
  for (const kind of ['index', 'snapshot', 'tree pack'] as const) {
    for (const damage of [flipBit, cutOff, async (storage: MemoryStorage, key: string) => storage.remove(key)]) {
      await using dir = await tempDir();
      const storage = new MemoryStorage(stage.image);
      const cached = cachingContext(storage, dir.path);
      const whole = await readAll(cached, stage.snapshots);
      assert.deepEqual(whole, stage.contents);
      const key = pick(await keysOfKind(storage, cached, kind));
      await damage(storage, key, random);
      if (storage.durable.has(key)) assert.deepEqual(await readAll(cached, stage.snapshots), whole, 'the cache serves');
      const { codes, errors, hints } = await checked(cached, 'data');
      const where = `${key}, seed ${firstSeed}: ${codes.join(' ')}`;
      // That a snapshot was removed, nobody can know.
      if (kind !== 'snapshot' || storage.durable.has(key)) assert.ok(errors + hints > 0, where);
      found += 1;
    }
  }
  prove(context, { claim: 'check sees past a warm cache', count: `${found} damaged files`, seeds: [firstSeed] });
});

function cachingContext(storage: MemoryStorage, folder: string): JobContext {
  const context = briskContext(storage);
  const cache = { folder, listener: silent };
  const open = async () => await openRepository({ storage, clock: briskClock, password: cheapKey.password, cache });
  return { ...context, access: { ...context.access, open } };
}

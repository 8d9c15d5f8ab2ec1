import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import { test } from 'node:test';
import { parseBlobId, parseFileId } from '../bytes/ids.ts';
import { ManualClock } from '../clock/manual-clock.ts';
import { fileIdFor } from '../crypto/id.ts';
import { silent, type Event } from '../events/events.ts';
import { MemoryStorage } from '../storage/memory.ts';
import type { GetOptions } from '../storage/storage.ts';
import { tempDir } from '../../test/support/temp-dir.ts';
import { listCaches, openCacheFolder, removeCache } from './cache-folder.ts';
import { CachedStorage } from './cache.ts';
import { keyOf } from './layout.ts';
import { createRepository } from './create.ts';
import { encodeIndexFile } from './index-file.ts';
import { openRepository } from './open.ts';

/** Counts what is fetched from afar. */
class FarStorage extends MemoryStorage {
  readonly fetched: string[] = [];

  override async get(key: string, options?: GetOptions): Promise<Uint8Array> {
    this.fetched.push(key);
    return super.get(key, options);
  }
}

/** Says of every whole object that it is larger than whoever asks would take. */
class VastStorage extends FarStorage {
  override async get(key: string, options?: GetOptions): Promise<Uint8Array> {
    return super.get(key, options?.maxBytes === undefined ? options : { ...options, maxBytes: 1 });
  }
}

function trouble(error: unknown): never {
  throw error;
}

async function stored(storage: MemoryStorage, folder: string, bytes: Buffer): Promise<string> {
  const id = fileIdFor(bytes);
  const key = folder === 'data' ? `data/${id.slice(0, 2)}/${id}` : `${folder}/${id}`;
  await storage.put(key, [bytes]);
  return key;
}

test('index and snapshot files are fetched once, others each time', async () => {
  const far = new FarStorage();
  const cached = new CachedStorage(far, new MemoryStorage(), trouble);
  for (const [folder, fetches] of [
    ['index', 1],
    ['snapshots', 1],
    ['data', 2],
    ['keys', 2],
  ] as const) {
    const key = await stored(far, folder, Buffer.from(`a file in ${folder}`));
    for (let time = 0; time < 2; time += 1)
      assert.equal(Buffer.from(await cached.get(key)).toString(), `a file in ${folder}`);
    assert.equal(far.fetched.filter((each) => each === key).length, fetches, folder);
  }
});

test('a pack with trees is fetched whole, once, and read in parts', async () => {
  const far = new FarStorage();
  const cached = new CachedStorage(far, new MemoryStorage(), trouble);
  const key = await stored(far, 'data', Buffer.from('one two three'));
  await cached.keepPacks([fileIdFor(Buffer.from('one two three'))]);
  const parts = await Promise.all([0, 4, 8].map((offset) => cached.get(key, { range: { offset, length: 3 } })));
  assert.deepEqual(
    parts.map((part) => Buffer.from(part).toString()),
    ['one', 'two', 'thr'],
  );
  assert.equal(Buffer.from(await cached.get(key, { range: { offset: 4, length: 9 } })).toString(), 'two three');
  assert.equal(far.fetched.length, 1);
  await assert.rejects(cached.get(key, { range: { offset: 10, length: 9 } }), { code: 'damaged' });
});

test('a pack with trees that is written is there for the next backup, one of data is not', async () => {
  const far = new FarStorage();
  const near = new MemoryStorage();
  const cached = new CachedStorage(far, near, trouble);
  const [trees, data] = [Buffer.from('trees'), Buffer.from('data')];
  await cached.put(keyOf('data', fileIdFor(trees)), [trees]);
  await cached.put(keyOf('data', fileIdFor(data)), [data], { rarelyRead: true });
  const later = new CachedStorage(far, near, trouble);
  await later.keepPacks([fileIdFor(trees)]);
  const range = { offset: 0, length: 3 };
  assert.equal(Buffer.from(await later.get(keyOf('data', fileIdFor(trees)), { range })).toString(), 'tre');
  assert.deepEqual(far.fetched, []);
  assert.equal((await Array.fromAsync(near.list(''))).length, 1);
});

test('a pack with trees that is too large to be held is read in parts and not kept', async () => {
  const far = new VastStorage();
  const near = new MemoryStorage();
  const cached = new CachedStorage(far, near, trouble);
  const key = await stored(far, 'data', Buffer.from('one two three'));
  await cached.keepPacks([fileIdFor(Buffer.from('one two three'))]);
  for (const offset of [0, 4]) await cached.get(key, { range: { offset, length: 3 } });
  assert.deepEqual(far.fetched, [key, key, key]);
  assert.deepEqual(await Array.fromAsync(near.list('')), []);
});

test('what was changed nearby is found by its hash and fetched again', async () => {
  const far = new FarStorage();
  const near = new MemoryStorage();
  const key = await stored(far, 'index', Buffer.from('right'));
  await near.put(key, [Buffer.from('wrong')]);
  assert.equal(Buffer.from(await new CachedStorage(far, near, trouble).get(key)).toString(), 'right');
  assert.equal(Buffer.from(await near.get(key)).toString(), 'right');
});

test('what is wrong afar is not kept', async () => {
  const far = new FarStorage();
  const near = new MemoryStorage();
  const cached = new CachedStorage(far, near, trouble);
  const key = `index/${'1'.repeat(64)}`;
  await far.put(key, [Buffer.from('wrong')]);
  for (let time = 0; time < 2; time += 1) await cached.get(key);
  assert.deepEqual(await Array.fromAsync(near.list('')), []);
  assert.equal(far.fetched.length, 2);
});

test('what is not listed any more is dropped, as are packs without trees', async () => {
  const far = new FarStorage();
  const near = new MemoryStorage();
  const cached = new CachedStorage(far, near, trouble);
  const pack = Buffer.from('pack');
  const keys = [
    await stored(far, 'index', Buffer.from('a')),
    await stored(far, 'snapshots', Buffer.from('b')),
    await stored(far, 'data', pack),
  ];
  await cached.keepPacks([fileIdFor(pack)]);
  for (const key of keys) await cached.get(key);
  const kept = async (): Promise<number> => (await Array.fromAsync(near.list(''))).length;
  assert.equal(await kept(), 3);
  for (const key of keys) await far.remove(key);
  await Array.fromAsync(cached.list('index/'));
  assert.equal(await kept(), 2);
  await Array.fromAsync(cached.list('snapshots/'));
  await cached.keepPacks([]);
  assert.equal(await kept(), 0);
});

test('what is written is kept, and what is removed is gone in both', async () => {
  const far = new FarStorage();
  const cached = new CachedStorage(far, new MemoryStorage(), trouble);
  const key = `snapshots/${fileIdFor(Buffer.from('new'))}`;
  await cached.put(key, [Buffer.from('new')]);
  await cached.get(key);
  assert.deepEqual(far.fetched, []);
  await cached.remove(key);
  await assert.rejects(cached.get(key), { code: 'storage-not-found' });
});

test('a cache that fails is told once and harms nothing', async () => {
  const far = new FarStorage();
  const near = new MemoryStorage();
  near.get = async () => Promise.reject(new Error('the disk is on fire'));
  near.put = async () => Promise.reject(new Error('the disk is on fire'));
  const told: unknown[] = [];
  const cached = new CachedStorage(far, near, (error) => told.push(error));
  const key = await stored(far, 'index', Buffer.from('right'));
  for (let time = 0; time < 2; time += 1) assert.equal(Buffer.from(await cached.get(key)).toString(), 'right');
  assert.equal(told.length, 1);
});

test('a cache folder is tagged, private, listed and removed', async () => {
  await using dir = await tempDir();
  const clock = new ManualClock();
  const id = 'ab'.repeat(32);
  await using storage = await openCacheFolder(dir.path, id, clock);
  await storage.put('index/x', [Buffer.alloc(1000)]);
  await openCacheFolder(dir.path, id, clock);
  assert.equal((await stat(dir.file('holdfast', id))).mode & 0o777, 0o700);
  assert.ok((await stat(dir.file('holdfast', 'CACHEDIR.TAG'))).isFile());
  const [cache, ...others] = await listCaches(dir.path);
  assert.ok(cache !== undefined && others.length === 0);
  assert.deepEqual(
    [cache.repositoryId, cache.sizeBytes, cache.lastUsedMs],
    [id, 1000, Number(clock.nowNs() / 1_000_000n)],
  );
  await removeCache(cache);
  assert.deepEqual(await listCaches(dir.path), []);
  assert.deepEqual(await listCaches(dir.file('nowhere')), []);
});

const key = { hostname: 'h', username: 'u', password: 'p', kdf: { N: 2, r: 1, p: 1 } };

test('under a warm cache a damaged storage shows past the cache alone', async () => {
  await using dir = await tempDir();
  const storage = new FarStorage();
  const clock = new ManualClock();
  await createRepository({ storage, clock, version: 2, key });
  const events: Event[] = [];
  const cache = { folder: dir.path, listener: (event: Event) => events.push(event) };
  const repository = await openRepository({ storage, clock, password: 'p', cache });
  const id = await repository.writeFile('snapshots', Buffer.from('{"tree":null}'));
  await storage.put(`snapshots/${id}`, [Buffer.from('damaged')]);
  assert.equal(Buffer.from(await repository.readFile('snapshots', id)).toString(), '{"tree":null}');
  await assert.rejects(repository.direct().readFile('snapshots', id), { code: 'damaged' });
  assert.deepEqual(events, []);
});

test('a repository whose cache folder can not be used opens with a warning', async () => {
  const storage = new FarStorage();
  const clock = new ManualClock();
  await createRepository({ storage, clock, version: 2, key });
  const events: Event[] = [];
  const cache = { folder: '/dev/null/nowhere', listener: (event: Event) => events.push(event) };
  await openRepository({ storage, clock, password: 'p', cache });
  assert.deepEqual(
    events.map(({ kind }) => kind),
    ['warning'],
  );
});

test('the index that a cache gives is exactly that of the index files listed just now', async () => {
  await using dir = await tempDir();
  const storage = new FarStorage();
  const clock = new ManualClock();
  const writer = await createRepository({ storage, clock, version: 2, key });
  const cache = { folder: dir.path, listener: silent };
  const blob = (digit: string) =>
    ({
      id: parseBlobId(digit.repeat(64)),
      type: 'data',
      offset: 0,
      length: 40,
      plainLength: 8,
      compressed: false,
    }) as const;
  const write = async (digit: string) =>
    writer.writeFile(
      'index',
      encodeIndexFile({
        other: {},
        packsToDelete: [],
        packs: [{ id: parseFileId(digit.repeat(64)), blobs: [blob(digit)], other: {} }],
      }),
    );
  const first = await write('1');
  const reader = await openRepository({ storage, clock, password: 'p', cache });
  const known = async (): Promise<string> => {
    await reader.loadIndex(silent);
    const digits = new Set(Array.from(reader.index.all(), ({ id }) => id.slice(0, 1)));
    return ['1', '2'].filter((digit) => digits.has(digit)).join('');
  };
  assert.equal(await known(), '1');
  await write('2');
  assert.equal(await known(), '12');
  await writer.removeFile('index', first);
  assert.equal(await known(), '2');
  assert.equal(storage.fetched.filter((name) => name.startsWith('index/')).length, 2);
});

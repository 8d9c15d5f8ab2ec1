import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blobBytes, newRepository, storeBlobs } from '../../test/support/repository.ts';
import { parseBlobId, parseFileId, type BlobId } from '../bytes/ids.ts';
import { fileIdFor } from '../crypto/id.ts';
import { silent } from '../events/events.ts';
import { MemoryStorage } from '../storage/memory.ts';
import type { GetOptions, ObjectInfo, Storage } from '../storage/storage.ts';
import { checkStructure, parseSubset, type CheckedRepository, type Finding } from './check.ts';
import { decodeIndexFile, encodeIndexFile, type IndexFile } from './index-file.ts';
import type { Repository } from './repository.ts';

interface Outcome {
  readonly checked: CheckedRepository;
  readonly findings: readonly Finding[];
  readonly codes: readonly string[];
}

async function check(repository: Repository, subset?: string): Promise<Outcome> {
  const findings: Finding[] = [];
  const options = {
    report: (finding: Finding) => findings.push(finding),
    listener: silent,
    signal: new AbortController().signal,
  };
  const checked = await checkStructure(repository, options);
  if (subset !== undefined) {
    const which = subset === 'all' ? ({ kind: 'all' } as const) : parseSubset(subset);
    await checked.readData(which, { ...options, random: () => 0.5 });
  }
  return { checked, findings, codes: findings.map(({ code }) => code).sort() };
}

interface Stage {
  readonly storage: MemoryStorage;
  readonly repository: Repository;
  readonly data: readonly BlobId[];
  readonly trees: readonly BlobId[];
}

async function stage(storage = new MemoryStorage()): Promise<Stage> {
  const repository = await newRepository(storage);
  const data = await storeBlobs(
    repository,
    'data',
    [1, 2, 3].map((n) => blobBytes(`data ${n}`, 5000)),
  );
  const trees = await storeBlobs(repository, 'tree', [Buffer.from('{"nodes":[]}\n')]);
  return { storage, repository, data, trees };
}

async function keysOf(storage: Storage, prefix: string): Promise<readonly string[]> {
  return Array.fromAsync(storage.list(prefix), ({ key }) => key);
}

function packKey({ repository }: Stage, id: BlobId | undefined): string {
  const pack = repository.index.locate('data', id ?? parseBlobId('0'.repeat(64)))?.pack ?? '';
  return `data/${pack.slice(0, 2)}/${pack}`;
}

async function change(storage: Storage, key: string, how: (bytes: Uint8Array) => Uint8Array): Promise<void> {
  await storage.put(key, [how(await storage.get(key))]);
}

function flip(at: number): (bytes: Uint8Array) => Uint8Array {
  return (bytes) => bytes.with(at < 0 ? bytes.length + at : at, (bytes.at(at) ?? 0) ^ 1);
}

test('a sound repository has no findings', async () => {
  const { repository } = await stage();
  const { codes, checked } = await check(repository, 'all');
  assert.deepEqual(codes, []);
  assert.deepEqual([...checked.brokenBlobs()], []);
  const { errors, suggestPrune, suggestRepairIndex } = checked.summary;
  assert.deepEqual(
    { errors, suggestPrune, suggestRepairIndex },
    { errors: 0, suggestPrune: false, suggestRepairIndex: false },
  );
});

test('a flipped bit is found by reading, and the blob that it hits is named', async () => {
  const at = await stage();
  const [first, second] = at.data;
  await change(
    at.storage,
    packKey(at, second),
    flip((at.repository.index.locate('data', second as BlobId)?.offset ?? 0) + 20),
  );
  assert.deepEqual((await check(at.repository)).codes, []);
  const { codes, findings, checked } = await check(at.repository, 'all');
  assert.deepEqual(codes, ['blob-damaged', 'pack-hash']);
  assert.equal(findings.find(({ blob }) => blob)?.blob?.id, second);
  assert.deepEqual([...checked.brokenBlobs()], [{ type: 'data', id: second }]);
  assert.equal(checked.stateOf('data', second as BlobId), 'broken');
  assert.equal(checked.stateOf('data', first as BlobId), 'intact');
  assert.equal(checked.stateOf('tree', first as BlobId), 'missing');
  assert.equal(checked.summary.brokenPacks.size, 1);
});

test('a flipped bit in a header is found, and no blob is lost', async () => {
  const at = await stage();
  await change(at.storage, packKey(at, at.data[0]), flip(-10));
  const { codes, checked } = await check(at.repository, 'all');
  assert.deepEqual(codes, ['pack-hash', 'pack-header']);
  assert.deepEqual([...checked.brokenBlobs()], []);
});

test('a missing pack is found by the structure alone, with the blobs that it held', async () => {
  const at = await stage();
  await at.storage.remove(packKey(at, at.data[0]));
  const { codes, checked } = await check(at.repository);
  assert.deepEqual(codes, ['pack-missing']);
  assert.deepEqual([...checked.brokenBlobs()].map(({ id }) => id).sort(), [...at.data].sort());
});

test('a blob that stands in another pack too is not lost', async () => {
  const at = await stage();
  const key = packKey(at, at.data[0]);
  await storeBlobs(at.repository, 'data', [blobBytes('data 1', 5000)]);
  await at.storage.remove(key);
  const { checked } = await check(at.repository, 'all');
  assert.deepEqual([...checked.brokenBlobs()].map(({ id }) => id).sort(), at.data.slice(1).toSorted());
});

test('a pack that is cut is found by its size, with the blobs that are cut off', async () => {
  const at = await stage();
  const key = packKey(at, at.data[0]);
  const last = [...at.repository.index.all()]
    .filter(({ type }) => type === 'data')
    .sort((a, b) => b.offset - a.offset)[0];
  await change(at.storage, key, (bytes) => bytes.subarray(0, (last?.offset ?? 0) + 100));
  const structure = await check(at.repository);
  assert.deepEqual(structure.codes, ['pack-size']);
  assert.deepEqual(
    [...structure.checked.brokenBlobs()].map(({ id }) => id),
    [last?.id],
  );
  const { codes } = await check(at.repository, 'all');
  assert.deepEqual(codes, ['blob-damaged', 'pack-hash', 'pack-header', 'pack-size']);
});

test('a pack under the name of another is found', async () => {
  const at = await stage();
  const [one, two] = await keysOf(at.storage, 'data/');
  const bytes = await at.storage.get(one ?? '');
  await at.storage.put(two ?? '', [bytes]);
  const { codes } = await check(at.repository, 'all');
  assert.ok(codes.includes('pack-hash') && codes.includes('pack-size') && codes.includes('pack-header'));
});

test('packs that no index names are a hint', async () => {
  const at = await stage();
  for (const key of await keysOf(at.storage, 'index/')) await at.storage.remove(key);
  const { codes, checked } = await check(at.repository, 'all');
  assert.deepEqual(codes, ['pack-unindexed', 'pack-unindexed']);
  assert.ok(checked.summary.errors === 0 && checked.summary.suggestPrune);
});

test('an unreadable index is found, and the rest is checked all the same', async () => {
  const at = await stage();
  const [index] = await keysOf(at.storage, 'index/');
  await change(at.storage, index ?? '', flip(50));
  const { codes, checked } = await check(at.repository, 'all');
  assert.deepEqual(codes, ['index-unreadable', 'pack-unindexed']);
  assert.ok(checked.summary.suggestRepairIndex && checked.repository.index.size > 0);
});

async function rewriteIndex(at: Stage, how: (index: IndexFile) => IndexFile): Promise<void> {
  for await (const { id } of at.repository.list('index')) {
    const index = decodeIndexFile(await at.repository.readFile('index', id), 'index');
    await at.repository.removeFile('index', id);
    await at.repository.writeFile('index', encodeIndexFile(how(index)));
  }
}

test('an index that disagrees with the header of a pack is found', async () => {
  const at = await stage();
  await rewriteIndex(at, (index) => ({
    ...index,
    packs: index.packs.map((pack) => ({
      ...pack,
      blobs: pack.blobs.map((blob) => ({ ...blob, type: 'tree' as const })),
    })),
  }));
  const { codes } = await check(at.repository, 'all');
  assert.deepEqual(codes, ['pack-header']);
});

test('an index with gaps is found', async () => {
  const at = await stage();
  await rewriteIndex(at, (index) => ({
    ...index,
    packs: index.packs.map((pack) => ({ ...pack, blobs: pack.blobs.slice(1) })),
  }));
  const { codes, checked } = await check(at.repository, 'all');
  assert.deepEqual([...new Set(codes)], ['pack-gap', 'pack-header', 'pack-size']);
  assert.deepEqual([...checked.brokenBlobs()], []);
});

test('packs named twice are a hint when both agree, and an error when they do not', async () => {
  const at = await stage();
  const [id] = await Array.fromAsync(at.repository.list('index'), (file) => file.id);
  const index = decodeIndexFile(await at.repository.readFile('index', id ?? parseFileId('')), 'index');
  await at.repository.writeFile('index', encodeIndexFile(index));
  assert.deepEqual((await check(at.repository)).codes, ['pack-duplicate']);
  const shortened = index.packs.map((pack) => ({ ...pack, blobs: pack.blobs.slice(0, -1) }));
  await at.repository.writeFile('index', encodeIndexFile({ ...index, packs: shortened }));
  assert.deepEqual((await check(at.repository)).codes, ['index-contradicts']);
});

test('packs that rustic marked for deletion are no finding', async () => {
  const at = await stage();
  await rewriteIndex(at, (index) => ({ ...index, packs: [], packsToDelete: index.packs }));
  assert.deepEqual((await check(at.repository, 'all')).codes, []);
});

/** Leaves one pack out of its listings. */
class ForgetfulStorage extends MemoryStorage {
  forgotten = '';

  override async *list(prefix: string): AsyncGenerator<ObjectInfo> {
    for await (const info of super.list(prefix)) if (info.key !== this.forgotten) yield info;
  }
}

test('a pack that the listing leaves out is asked for by its name before it counts as missing', async () => {
  const storage = new ForgetfulStorage();
  const at = await stage(storage);
  storage.forgotten = packKey(at, at.data[0]);
  const { codes, checked } = await check(at.repository, 'all');
  assert.deepEqual(codes, ['pack-unlisted']);
  assert.equal(checked.summary.errors, 0);
});

/** Reads wrong once. */
class UnsteadyStorage extends MemoryStorage {
  wrongOnce = '';

  override async get(key: string, options?: GetOptions): Promise<Uint8Array> {
    const bytes = await super.get(key, options);
    if (key !== this.wrongOnce) return bytes;
    this.wrongOnce = '';
    return flip(7)(bytes);
  }
}

test('a pack that is wrong once and right when read again is an error of its own', async () => {
  const storage = new UnsteadyStorage();
  const at = await stage(storage);
  storage.wrongOnce = packKey(at, at.data[0]);
  const { codes, checked } = await check(at.repository, 'all');
  assert.deepEqual(codes, ['pack-unsteady']);
  assert.deepEqual([...checked.brokenBlobs()], []);
});

test('all groups of n/t together read every pack once', async () => {
  const storage = new MemoryStorage();
  const repository = await newRepository(storage);
  for (let n = 0; n < 12; n += 1) await storeBlobs(repository, 'data', [blobBytes(`${n}`, 100)]);
  for (const key of await keysOf(storage, 'data/')) await change(storage, key, flip(3));
  const found: (string | undefined)[] = [];
  for (let group = 1; group <= 3; group += 1) {
    const { findings } = await check(repository, `${group}/3`);
    found.push(...findings.filter(({ code }) => code === 'pack-hash').map(({ pack }) => pack));
  }
  assert.equal(found.length, 12);
  assert.equal(new Set(found).size, 12);
  const hits = async (subset: string): Promise<number> =>
    (await check(repository, subset)).codes.filter((code) => code === 'pack-hash').length;
  assert.deepEqual([await hits('50%'), await hits('1%'), await hits('1b'), await hits('100G')], [6, 1, 1, 12]);
});

test('subsets are understood as restic understands them', () => {
  assert.deepEqual(parseSubset('1/7'), { kind: 'group', number: 1, groups: 7 });
  assert.deepEqual(parseSubset('2.5%'), { kind: 'percent', percent: 2.5 });
  assert.deepEqual(parseSubset('500M'), { kind: 'bytes', bytes: 500 * 1024 * 1024 });
  assert.deepEqual(parseSubset('70'), { kind: 'bytes', bytes: 70 });
  for (const bad of ['', '0/7', '8/7', '1/257', '0%', '101%', '%', '-5M', '5X', '0', '1/2/3', '1e9']) {
    assert.throws(() => parseSubset(bad), { code: 'usage' }, bad);
  }
});

test('large packs and large blobs are checked piece by piece', async () => {
  const storage = new MemoryStorage();
  const repository = await newRepository(storage);
  await storeBlobs(
    repository,
    'data',
    Array.from({ length: 12 }, (_, n) => blobBytes(`large ${n}`, 4 * 1024 * 1024)),
  );
  const { codes } = await check(repository, 'all');
  assert.deepEqual(codes, []);
  const [key] = await keysOf(storage, 'data/');
  await change(storage, key ?? '', (bytes) => Buffer.concat([bytes, Buffer.alloc(70 * 1024 * 1024)]));
  assert.deepEqual((await check(repository, 'all')).codes, ['pack-hash', 'pack-header', 'pack-size']);
  assert.ok(fileIdFor(await storage.get(key ?? '')));
});

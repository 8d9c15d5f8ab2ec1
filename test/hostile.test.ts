import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import type { BlobId } from '../src/bytes/ids.ts';
import { systemClock } from '../src/clock/clock.ts';
import { HoldfastError } from '../src/errors/error.ts';
import { silent } from '../src/events/events.ts';
import { seal } from '../src/crypto/seal.ts';
import { blobIdFor, fileIdFor } from '../src/crypto/id.ts';
import { openRepository } from '../src/repository/open.ts';
import { keyOf } from '../src/repository/layout.ts';
import type { Repository, SealedKind } from '../src/repository/repository.ts';
import { sessionOf } from '../src/repository/session.ts';
import { saveSnapshot } from '../src/snapshot/snapshots.ts';
import { MemoryStorage } from '../src/storage/memory.ts';
import { jobContext, newRepository } from './support/engine.ts';
import { checked } from './support/operations.ts';
import { storeBlobs } from './support/repository.ts';

/**
 * Whoever knows the password can write anything under a right seal. Whatever that is, it ends in an error or a
 * finding, in bounded time and memory.
 */
const boundMs = 120_000;
/** Of the whole run: what the bombs themselves take, and what reading one of them may. */
const boundMiB = 2000;

interface Stage {
  readonly storage: MemoryStorage;
  readonly repository: Repository;
}

async function bounded(what: string, task: () => Promise<unknown>): Promise<void> {
  const start = systemClock.monotonicMs();
  const error = await task().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error !== undefined) assert.ok(error instanceof HoldfastError && error.code !== 'internal', what);
  assert.ok(systemClock.monotonicMs() - start < boundMs, `${what} took too long`);
  assert.ok(peakMiB() < boundMiB, `${what} took ${peakMiB()} MiB`);
}

function peakMiB(): number {
  return Math.round(process.resourceUsage().maxRSS / 1024);
}

async function stageOf(): Promise<Stage> {
  const storage = new MemoryStorage();
  return { storage, repository: await newRepository(storage) };
}

/** Under a right seal and name, past every check of our own writer. */
async function plant({ storage, repository }: Stage, kind: SealedKind, plaintext: Uint8Array): Promise<void> {
  const stored = seal(sessionOf(repository).key, plaintext);
  await storage.put(keyOf(kind, fileIdFor(stored)), [stored]);
}

/** As index and snapshot files are compressed. */
function packed(...parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat([Uint8Array.of(2), ...parts.map((part) => zstdCompressSync(part))]);
}

async function assertRefused({ storage }: Stage, what: string): Promise<void> {
  await bounded(what, async () => {
    const { errors } = await checked(jobContext(storage), 'data');
    assert.ok(errors > 0, `${what}: check finds nothing`);
  });
}

const bombs: Readonly<Record<string, () => Uint8Array>> = {
  'a frame of gigabytes': () => packed(...Array.from({ length: 40 }, () => Buffer.alloc(64 * 2 ** 20))),
  'a list of millions of lists': () => packed(Buffer.from(`{"packs":[${'[],'.repeat(17_000_000)}1],"tags":[]}`)),
  'lists in lists': () => packed(Buffer.from(`{"packs":${'['.repeat(300_000)}${']'.repeat(300_000)}}`)),
};

for (const kind of ['index', 'snapshots'] as const) {
  for (const [what, bomb] of Object.entries(bombs)) {
    test(`${what} in ${kind} is refused in bounded memory`, { timeout: 300_000 }, async () => {
      const stage = await stageOf();
      await plant(stage, kind, bomb());
      await assertRefused(stage, `${what} in ${kind}`);
    });
  }
}

async function withTree(stage: Stage, tree: BlobId): Promise<void> {
  await saveSnapshot(stage.repository, {
    time: '2026-08-01T10:00:00Z',
    tree,
    paths: ['/data'],
    ...{ hostname: 'host', username: 'ann', uid: 0, gid: 0, excludes: [], tags: [], programVersion: '', others: {} },
  });
}

const trees: Readonly<Record<string, () => Uint8Array>> = {
  'a node of hundreds of MiB': () => Buffer.concat([Buffer.from('{"nodes":["'), Buffer.alloc(260 * 2 ** 20, 'x')]),
  'a node of millions of lists': () => Buffer.from(`{"nodes":[{"name":[${'[],'.repeat(17_000_000)}1]}]}`),
  'a member name of hundreds of MiB': () => Buffer.concat([Buffer.from('{"'), Buffer.alloc(260 * 2 ** 20, 'x')]),
  'lists in lists': () => Buffer.from(`{"nodes":${'['.repeat(1_000_000)}`),
};

for (const [what, tree] of Object.entries(trees)) {
  test(`${what} in a tree is refused in bounded memory`, { timeout: 300_000 }, async () => {
    const stage = await stageOf();
    const [id] = await storeBlobs(stage.repository, 'tree', [tree()]);
    await withTree(stage, id ?? assert.fail());
    await assertRefused(stage, what);
  });
}

test('blobs and packs that claim gigabytes are refused before they take them', { timeout: 120_000 }, async () => {
  const stage = await stageOf();
  const tree = blobIdFor(Buffer.from('tree'));
  const lengths = [0xffffffff, 2 ** 30, 2 ** 31];
  const blobs = lengths.map((length) => ({
    id: tree,
    type: 'tree',
    offset: 0,
    length,
    uncompressed_length: 0xffffffff,
  }));
  const small = { id: tree, type: 'tree', offset: 0, length: 64, uncompressed_length: 2 ** 30 };
  const pack = randomBytes(64);
  await stage.storage.put(keyOf('data', fileIdFor(pack)), [pack]);
  const index = { packs: [{ id: fileIdFor(pack), blobs: [...blobs, small] }] };
  await plant(stage, 'index', Buffer.from(JSON.stringify(index)));
  await withTree(stage, tree);
  await assertRefused(stage, 'huge lengths');
});

test(
  'a hundred thousand key files that ask for too much are refused, and a hint finds the right one',
  { timeout: 300_000 },
  async () => {
    const stage = await stageOf();
    const [real = ''] = await Array.fromAsync(stage.storage.list('keys/'), ({ key }) => key);
    const fake = Buffer.from('{"kdf":"scrypt","N":1099511627776,"r":8,"p":1}');
    for (let n = 0; n < 100_000; n += 1) {
      await stage.storage.put(`keys/${n.toString(16).padStart(64, '0')}`, [fake]);
    }
    const open = async () => await jobContext(stage.storage).access.open();
    await bounded('fake keys', async () => assert.rejects(open(), { name: 'HoldfastError' }));
    const hint = real.slice('keys/'.length);
    const hinted = { storage: stage.storage, clock: systemClock, password: 'secret', keyHint: hint };
    await bounded('a hint', async () => (await openRepository(hinted)).loadIndex(silent));
  },
);

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseBlobId, rawPathOf, type BlobId } from '../src/bytes/ids.ts';
import { blobIdFor } from '../src/crypto/id.ts';
import type { Event } from '../src/events/events.ts';
import { diff } from '../src/job/diff.ts';
import { dump } from '../src/job/dump.ts';
import { find } from '../src/job/find.ts';
import type { JobContext } from '../src/job/job.ts';
import { ls } from '../src/job/ls.ts';
import { restoreToFolder } from '../src/job/restore.ts';
import { stats } from '../src/job/stats.ts';
import { parsePathPatterns } from '../src/bytes/path-pattern.ts';
import type { Repository } from '../src/repository/repository.ts';
import type { TreeNode } from '../src/snapshot/entry.ts';
import { restoreTree, selectAll, type RestoreOptions } from '../src/snapshot/restore.ts';
import { anySnapshot, saveSnapshot } from '../src/snapshot/snapshots.ts';
import { MemoryStorage } from '../src/storage/memory.ts';
import { encodeTree } from './support/encode-tree.ts';
import { jobContext, newRepository } from './support/engine.ts';
import { checked, pruneAll } from './support/operations.ts';
import { storeBlobs } from './support/repository.ts';
import { tempDir } from './support/temp-dir.ts';

/**
 * Each tree names the one below twice: so many trees make 2^40 folders. What asks about trees sees each once; what asks
 * about paths goes on until it is stopped, in the memory of one path.
 */
const usualLevels = 40;
/** Items after which whoever asks has seen enough. */
const enough = 3000;
const boundMiB = 300;

const whole: RestoreOptions = {
  ...{ overwrite: 'always', select: selectAll, extras: 'keep', mode: 'write', holes: 'dense', verify: 'no' },
  selectXattr: () => true,
};

const nothing = parseBlobId('ab'.repeat(32));

function node(name: string, type: 'file' | 'dir', more: Partial<TreeNode>): TreeNode {
  const times = { mtimeNs: 1n, atimeNs: 1n, ctimeNs: 1n };
  const owner = { uid: 0, gid: 0, user: '', group: '' };
  const numbers = { inode: 0n, deviceId: 0n, sizeBytes: 0, links: 1n };
  return { name: rawPathOf(name), type, mode: 0o700, ...times, ...owner, ...numbers, content: null, ...more };
}

interface Nesting {
  readonly bottom: readonly BlobId[];
  readonly day: number;
  readonly levels?: number;
}

/** A snapshot of folders within folders, at the bottom a file of these contents. */
async function plant(repository: Repository, { day, bottom, levels = usualLevels }: Nesting): Promise<void> {
  const trees = [encodeTree([node('file', 'file', { content: bottom })])];
  for (let level = 0; level < levels; level += 1) {
    const subtree = blobIdFor(trees.at(-1) ?? assert.fail());
    trees.push(encodeTree(['a', 'b'].map((name) => node(name, 'dir', { subtree }))));
  }
  const tree = (await storeBlobs(repository, 'tree', trees)).at(-1) ?? assert.fail();
  await saveSnapshot(repository, {
    ...{ time: `2026-08-0${day}T10:00:00Z`, tree, paths: ['/data'] },
    ...{ hostname: 'host', username: 'ann', uid: 0, gid: 0, excludes: [], tags: [], programVersion: '', others: {} },
  });
}

async function storageWith(...bottoms: readonly (readonly BlobId[])[]): Promise<MemoryStorage> {
  const storage = new MemoryStorage();
  const repository = await newRepository(storage);
  for (const [at, bottom] of bottoms.entries()) await plant(repository, { day: at + 1, bottom });
  return storage;
}

test('check and prune see each tree of a nesting without end once', { timeout: 120_000 }, async () => {
  const context = jobContext(await storageWith([]));
  assert.equal((await checked(context, 'data')).errors, 0);
  await pruneAll(context);
  assert.equal((await checked(context, 'structure')).errors, 0);
});

test(
  'of files without number that are lost check names a thousand and counts so many',
  { timeout: 300_000 },
  async () => {
    const outcome = await checked(jobContext(await storageWith([nothing])), 'structure');
    assert.deepEqual(outcome.codes, ['blob-missing']);
    assert.deepEqual([outcome.affected.length, outcome.affectedCount, outcome.moreAffected], [1000, 20_000, true]);
  },
);

test('errors in trees that are too many to be told are counted, and that is told', async () => {
  const storage = new MemoryStorage();
  const bottom = Array.from({ length: 10_005 }, (_, n) => parseBlobId(n.toString(16).padStart(64, '0')));
  await plant(await newRepository(storage), { day: 1, bottom, levels: 0 });
  const { errors, messages, affectedCount } = await checked(jobContext(storage), 'structure');
  assert.deepEqual([errors, messages.length, affectedCount], [10_005, 10_001, 1]);
  assert.equal(messages.at(-1), '5 more errors in trees are counted and not told');
});

test('folders deeper than any file system has are refused by restore, and those above come back', async () => {
  await using dir = await tempDir();
  const storage = new MemoryStorage();
  const repository = await newRepository(storage);
  const trees = [encodeTree([])];
  for (let level = 0; level < 2060; level += 1)
    trees.push(encodeTree([node('a', 'dir', { subtree: blobIdFor(trees.at(-1) ?? assert.fail()) })]));
  const tree = (await storeBlobs(repository, 'tree', trees)).at(-1) ?? assert.fail();
  const warnings: string[] = [];
  const listener = (event: Event): void => void (event.kind === 'warning' && warnings.push(event.message));
  const { signal } = new AbortController();
  const options = { ...whole, mode: 'dry-run' } as const;
  const outcome = await restoreTree({ repository, tree, target: rawPathOf(dir.path), options, listener, signal });
  assert.deepEqual([outcome.failures, outcome.restoredItems], [1, 2048]);
  assert.match(warnings.join(), /^folders are nested more than 2048 deep$/);
});

const named = { find: { filter: anySnapshot, now: Temporal.Now.zonedDateTimeISO() } };
const all = { ...named.find, names: [], order: 'newest first' } as const;

type Use = (context: JobContext, seen: () => void, target: string) => Promise<unknown>;

/** Tells of each blob that is read. */
function watched({ open, ...access }: JobContext['access'], seen: () => void): JobContext['access'] {
  return {
    ...access,
    open: async () => {
      const repository = await open();
      const { storage } = repository;
      const get = storage.get.bind(storage);
      storage.get = async (...args) => {
        seen();
        return get(...args);
      };
      return repository;
    },
  };
}

const uses: Readonly<Record<string, Use>> = {
  ls: async (context, seen) =>
    ls(context, {
      ...{ ...named, name: 'latest', folders: [], depth: 'all', leading: 'told' },
      ...{ onSnapshot: () => undefined, onItem: seen },
    }),
  find: async (context, seen) =>
    find(context, {
      ...{ ...all, onNode: seen, onBlob: seen },
      wanted: { kind: 'nodes', query: { patterns: parsePathPatterns([rawPathOf('file')]) } },
    }),
  dump: async (context, seen) =>
    dump(context, {
      ...{ ...named, name: 'latest', path: rawPathOf('/'), format: 'tar', archives: 'written' },
      write: async () => seen(),
    }),
  diff: async (context, seen) =>
    diff(context, {
      ...{ find: named.find, before: '2026-08-01 23:59:00', after: 'latest', metadata: 'compared' },
      ...{ onSnapshots: () => undefined, onChange: seen },
    }),
  restore: async (context, seen, target) =>
    restoreToFolder(
      { ...context, listener: seen },
      {
        ...{ ...named, name: 'latest', target: rawPathOf(target) },
        restore: whole,
      },
    ),
  stats: async (context, seen) =>
    stats({ ...context, access: watched(context.access, seen) }, { ...all, mode: 'restore-size' }),
};

for (const [name, use] of Object.entries(uses)) {
  test(
    `${name} of folders without number ends when it is stopped, in bounded memory`,
    { timeout: 120_000 },
    async () => {
      await using dir = await tempDir();
      const storage = await storageWith([nothing], []);
      const stop = new AbortController();
      let items = 0;
      const seen = (): void => {
        items += 1;
        if (items === enough) stop.abort(new Error('enough'));
      };
      const before = process.memoryUsage().rss;
      await assert.rejects(use({ ...jobContext(storage), signal: stop.signal }, seen, dir.file('to')), /enough/);
      assert.ok(items < enough + 100, `${items} items came after the end`);
      const grownMiB = (process.memoryUsage().rss - before) / 2 ** 20;
      assert.ok(grownMiB < boundMiB, `${grownMiB} MiB`);
    },
  );
}

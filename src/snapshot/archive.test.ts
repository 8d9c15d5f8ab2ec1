import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { rawPathOf, type BlobId } from '../bytes/ids.ts';
import { systemClock } from '../clock/clock.ts';
import { HoldfastError, hasCode } from '../errors/error.ts';
import type { Event } from '../events/events.ts';
import { MemoryBlobs } from '../../test/support/memory-blobs.ts';
import { archive, type ArchiveInput, type ArchiveOutcome, type ChangeDetection } from './archive.ts';
import type { Entry, Metadata, TreeNode } from './entry.ts';
import { decodeTree } from './tree.ts';

const asRestic: ChangeDetection = { mode: 'metadata', ctime: 'compared', inode: 'compared' };

function metadata(type: Metadata['type'], more: Partial<Metadata> = {}): Metadata {
  const times = { mtimeNs: 1n, atimeNs: 1n, ctimeNs: 1n };
  const owner = { uid: 0, gid: 0, user: '', group: '' };
  return { type, mode: 0o644, ...times, ...owner, inode: 1n, deviceId: 1n, sizeBytes: 0, links: 1n, ...more };
}

function folder(path: string, more: Partial<Metadata> = {}): Entry {
  return { path: rawPathOf(path), metadata: metadata('dir', more), content: { kind: 'none' } };
}

/** A store with what a backup of it needs; `files` hold what was said last. */
class Fixture {
  readonly store = new MemoryBlobs();
  readonly events: Event[] = [];

  file(path: string, text: string, more: Partial<Metadata> = {}): Entry {
    this.store.files.set(path, Buffer.from(text));
    const content = { kind: 'file', path: rawPathOf(path), sizeBytes: text.length, cut: 'rabin' } as const;
    return { path: rawPathOf(path), metadata: metadata('file', { sizeBytes: text.length, ...more }), content };
  }

  async archive(entries: readonly Entry[], more: Partial<ArchiveInput> = {}): Promise<ArchiveOutcome> {
    return await archive({
      repository: this.store.repository,
      writer: this.store.writer,
      entries: ReadableStream.from(entries),
      detection: asRestic,
      timeNs: 5n,
      clock: systemClock,
      listener: (event) => this.events.push(event),
      notes: 'each-item',
      signal: new AbortController().signal,
      ...more,
    });
  }

  get warnings(): readonly string[] {
    return this.events.flatMap((event) => (event.kind === 'warning' ? [event.item] : []));
  }

  nodes(tree: BlobId): readonly TreeNode[] {
    return [...decodeTree(this.store.read('tree', tree))];
  }

  /** Every path with what it holds: the text of a file, the type of all else. */
  listing(tree: BlobId, prefix = ''): readonly string[] {
    return this.nodes(tree).flatMap((node) => {
      const path = `${prefix}/${node.name}`;
      if (node.subtree !== undefined) return [`${path}/`, ...this.listing(node.subtree, path)];
      const text = (node.content ?? []).map((id) => Buffer.from(this.store.read('data', id)).toString()).join('');
      return [`${path}=${node.type === 'file' ? text : node.type}`];
    });
  }
}

test('entries become trees, each folder with its own metadata', async () => {
  const at = new Fixture();
  const entries = [
    at.file('a/b/one', '1'),
    folder('a/b', { mode: 0o700 }),
    at.file('a/c', '2'),
    folder('a/empty'),
    {
      path: rawPathOf('a/link'),
      metadata: metadata('symlink', { linkTarget: rawPathOf('c') }),
      content: { kind: 'none' },
    },
    folder('a', { mode: 0o755 }),
    at.file('z', '3'),
  ] as const;
  const { tree, counts, unread } = await at.archive(entries);
  const expected = ['/a/', '/a/b/', '/a/b/one=1', '/a/c=2', '/a/empty/', '/a/link=symlink', '/z=3'];
  assert.deepEqual(at.listing(tree), expected);
  const [a] = at.nodes(tree);
  assert.equal(a?.mode, 0o755);
  assert.deepEqual([counts.filesNew, counts.dirsNew, counts.dataBlobs, counts.treeBlobs], [3, 3, 3, 4]);
  assert.deepEqual([counts.totalBytesProcessed, counts.totalFilesProcessed, unread], [3, 3, 0]);
  assert.equal(counts.dataAddedPacked - counts.dataAdded, 32 * 7);
});

test('folders that no entry describes get plain metadata', async () => {
  const at = new Fixture();
  const { tree } = await at.archive([at.file('x/y/z', '1')]);
  const [x] = at.nodes(tree);
  assert.deepEqual([x?.mode, x?.mtimeNs, x?.type], [2 ** 31 + 0o755, 5n, 'dir']);
  assert.deepEqual(at.listing(tree), ['/x/', '/x/y/', '/x/y/z=1']);
});

test('nodes stand in order, however contents finish', async () => {
  const at = new Fixture();
  const gate = Promise.withResolvers<void>();
  at.store.delay = async (content) => {
    if (content.kind === 'file' && content.path === 'd/a') await gate.promise;
  };
  const entries = [at.file('d/a', '1'), at.file('d/b', '2'), folder('d'), at.file('e', '3')];
  async function* thenOpen(): AsyncGenerator<Entry> {
    yield* entries;
    gate.resolve();
  }
  const { tree } = await at.archive([], { entries: thenOpen() });
  assert.deepEqual(at.listing(tree), ['/d/', '/d/a=1', '/d/b=2', '/e=3']);
});

test('a second run takes all over unread and makes the same tree', async () => {
  const at = new Fixture();
  const entries = [at.file('d/a', '1'), at.file('d/empty', ''), folder('d'), at.file('e', '3')];
  const first = await at.archive(entries);
  at.store.files.clear();
  const second = await at.archive(entries, { parent: first.tree });
  assert.equal(second.tree, first.tree);
  const { filesUnmodified, dirsUnmodified, dataAdded, treeBlobs } = second.counts;
  assert.deepEqual([filesUnmodified, dirsUnmodified, dataAdded, treeBlobs, second.unread], [3, 1, 0, 0, 0]);
});

const changes: Readonly<Record<string, Partial<Metadata>>> = {
  size: { sizeBytes: 2 },
  mtime: { mtimeNs: 2n },
  ctime: { ctimeNs: 2n },
  inode: { inode: 2n },
};
for (const [what, change] of Object.entries(changes)) {
  test(`a file whose ${what} differs is read again`, async () => {
    const at = new Fixture();
    const first = await at.archive([at.file('a', '1')]);
    const second = await at.archive([at.file('a', '2', change)], { parent: first.tree });
    assert.deepEqual(at.listing(second.tree), ['/a=2']);
    assert.equal(second.counts.filesChanged, 1);
  });
}

test('ctime and inode can be ignored, and every file can be read', async () => {
  const at = new Fixture();
  const first = await at.archive([at.file('a', '1')]);
  const changed = at.file('a', '2', { sizeBytes: 1, ctimeNs: 2n, inode: 2n });
  const lax = { parent: first.tree, detection: { ...asRestic, ctime: 'ignored', inode: 'ignored' } } as const;
  assert.deepEqual(at.listing((await at.archive([changed], lax)).tree), ['/a=1']);
  const force = { parent: first.tree, detection: { ...asRestic, mode: 'read-all' } } as const;
  assert.deepEqual(at.listing((await at.archive([at.file('a', '2')], force)).tree), ['/a=2']);
});

/** Of a file at two times: its text and a time, undefined where it isn't there. */
const moment = fc.option(fc.record({ text: fc.constantFrom('', 'a', 'b'), ctimeNs: fc.bigInt(0n, 2n) }), {
  nil: undefined,
});
const names = fc.uniqueArray(fc.stringMatching(/^[a-d"\\]{1,3}$/), { minLength: 1, maxLength: 12 });

test('whatever changed, came or went, the tree is that of a backup that reads all', async () => {
  const twoTimes = names.chain((list) =>
    fc.tuple(...list.map((name) => fc.record({ name: fc.constant(name), before: moment, now: moment }))),
  );
  await fc.assert(
    fc.asyncProperty(twoTimes, async (files) => {
      const at = new Fixture();
      const sorted = files.toSorted((a, b) => (rawPathOf(a.name) < rawPathOf(b.name) ? -1 : 1));
      const entries = (time: 'before' | 'now'): readonly Entry[] => [
        ...sorted.flatMap(({ name, [time]: file }) => {
          if (file === undefined) return [];
          return [
            at.file(`d/${name}`, file.text, { ctimeNs: file.ctimeNs, mode: 0o600 + file.text.length, user: 'Jörg' }),
          ];
        }),
        folder('d'),
      ];
      // A text that changed without a new ctime is, as for restic, not noticed: let the times tell.
      const honest = files.every(({ before, now }) => before?.ctimeNs !== now?.ctimeNs || before?.text === now?.text);
      fc.pre(honest);
      const { tree: parent } = await at.archive(entries('before'));
      const second = await at.archive(entries('now'), { parent });
      const fresh = await at.archive(entries('now'));
      assert.equal(second.tree, fresh.tree);
      assert.deepEqual(at.warnings, []);
    }),
    { numRuns: 200 },
  );
});

test('in a folder of thousands only what changed is read', async () => {
  const at = new Fixture();
  const number = (i: number): string => `file-${`${i}`.padStart(5, '0')}`;
  const all = Array.from({ length: 3000 }, (_, i) => at.file(`d/${number(i)}`, `${i}`));
  const changed = all.with(1234, at.file(`d/${number(1234)}`, 'new', { mtimeNs: 9n }));
  const { tree: parent } = await at.archive([...all, folder('d')]);
  const second = await at.archive([...changed, folder('d')], { parent });
  assert.deepEqual([second.counts.filesUnmodified, second.counts.filesChanged], [2999, 1]);
  assert.equal(second.tree, (await at.archive([...changed, folder('d')])).tree);
});

test('a file that was read again and is the same counts as unmodified', async () => {
  const at = new Fixture();
  const first = await at.archive([at.file('a', '1')]);
  const detection = { ...asRestic, mode: 'read-all' } as const;
  const { counts } = await at.archive([at.file('a', '1')], { parent: first.tree, detection });
  assert.deepEqual([counts.filesUnmodified, counts.filesChanged, counts.dataBlobs], [1, 0, 0]);
});

test('an unchanged file whose blobs are lost is stored again', async () => {
  const at = new Fixture();
  const first = await at.archive([at.file('a', '1'), at.file('b', '2')]);
  const lost = at.nodes(first.tree)[0]?.content?.[0];
  assert.ok(at.store.blobs.delete(`data ${lost}`));
  const second = await at.archive([at.file('a', '1'), at.file('b', '2')], { parent: first.tree });
  assert.deepEqual([at.listing(second.tree), at.warnings], [['/a=1', '/b=2'], ['/a']]);
});

test('a parent whose trees are lost or damaged is told, and the files are read', async () => {
  const at = new Fixture();
  const entries = [at.file('d/a', '1'), folder('d'), at.file('e', '3')];
  const first = await at.archive(entries);
  const subtree = at.nodes(first.tree)[0]?.subtree;
  at.store.blobs.delete(`tree ${subtree}`);
  const second = await at.archive(entries, { parent: first.tree });
  assert.deepEqual([second.tree, second.unread, at.warnings], [first.tree, 1, ['/d']]);
  at.store.blobs.set(`tree ${first.tree}`, Buffer.from('{"nodes":[{"name":"..","type":"file"}]}'));
  const third = await at.archive(entries, { parent: first.tree });
  assert.deepEqual([third.tree, third.counts.filesNew], [first.tree, 2]);
});

test('a file that can’t be read is left out, told and counted', async () => {
  const at = new Fixture();
  const entries = [at.file('a', '1'), at.file('b', '2'), at.file('c', '3')];
  at.store.files.delete('b');
  const { tree, unread } = await at.archive(entries);
  assert.deepEqual([at.listing(tree), unread, at.warnings], [['/a=1', '/c=3'], 1, ['/b']]);
});

test('the size is that of what was read', async () => {
  const at = new Fixture();
  const { tree, counts } = await at.archive([at.file('a', 'grown', { sizeBytes: 2 })]);
  assert.deepEqual([at.nodes(tree)[0]?.sizeBytes, counts.totalBytesProcessed], [5, 5]);
});

test('a name that comes twice or out of order is left out', async () => {
  const at = new Fixture();
  const entries = [
    at.file('b', '2'),
    at.file('b', '2'),
    at.file('a', '3'),
    at.file('c/x', '4'),
    folder('c'),
    folder('c'),
  ];
  const { tree, unread } = await at.archive(entries);
  assert.deepEqual([at.listing(tree), unread, at.warnings], [['/b=2', '/c/', '/c/x=4'], 3, ['/b', '/a', '/c']]);
});

test('a stream that fails fails the archive', async () => {
  const at = new Fixture();
  async function* stream(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('x');
    throw new HoldfastError('source-failed', 'the command ended with 1');
  }
  const content = { kind: 'stream', stream: stream(), cut: 'rabin' } as const;
  const entry = { path: rawPathOf('dump'), metadata: metadata('file'), content };
  await assert.rejects(at.archive([entry]), (error) => hasCode(error, 'source-failed'));
});

test('a storage that fails ends the archive at once', async () => {
  const at = new Fixture();
  at.store.delay = async () => {
    throw new HoldfastError('storage-full', 'no space left');
  };
  let taken = 0;
  async function* endless(): AsyncGenerator<Entry> {
    for (;;) {
      taken += 1;
      yield at.file(`f${taken.toString().padStart(9, '0')}`, 'x');
    }
  }
  await assert.rejects(at.archive([], { entries: endless() }), (error) => hasCode(error, 'storage-full'));
  assert.ok(taken < 100, `${taken} entries were taken`);
});

test('nothing at all is no backup', async () => {
  const at = new Fixture();
  await assert.rejects(at.archive([]), (error) => hasCode(error, 'source-failed'));
});

test('each item is told with what it added', async () => {
  const at = new Fixture();
  const first = await at.archive([at.file('d/a', '1'), folder('d')]);
  await at.archive([at.file('d/a', '22', { mtimeNs: 2n }), folder('d')], { parent: first.tree });
  const notes = at.events.flatMap((event) =>
    event.kind === 'note' ? [[event.data['item'], event.data['change']].join(' ')] : [],
  );
  assert.deepEqual(notes, ['/d/a new', '/d/ new', '/d/a changed', '/d/ changed']);
});

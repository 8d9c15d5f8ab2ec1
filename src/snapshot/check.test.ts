import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileIdOf, parseBlobId, rawPathOf, type BlobId } from '../bytes/ids.ts';
import { silent } from '../events/events.ts';
import { MemoryBlobs } from '../../test/support/memory-blobs.ts';
import type { BlobType } from '../repository/index.ts';
import { affectedItems, checkTrees, type TreeFinding } from './check.ts';
import type { TreeNode } from './entry.ts';
import { encodeTree } from '../../test/support/encode-tree.ts';
import { BlobSet } from '../repository/blob-set.ts';

const options = { listener: silent, signal: new AbortController().signal };
const nowhere = parseBlobId('00'.repeat(32));

class Fixture {
  readonly store = new MemoryBlobs();

  async blob(text: string): Promise<BlobId> {
    return (await this.store.writer.storeBlob('data', Buffer.from(text))).id;
  }

  async tree(...nodes: readonly TreeNode[]): Promise<BlobId> {
    return (await this.store.writer.storeTree(encodeTree(nodes))).id;
  }

  async findings(...trees: readonly BlobId[]): Promise<readonly TreeFinding[]> {
    const snapshots = trees.map((tree) => ({ tree }));
    return (await checkTrees(this.store.repository, snapshots, options)).findings;
  }
}

function node(name: string, type: 'file' | 'dir', more: Partial<TreeNode>): TreeNode {
  const times = { mtimeNs: 1n, atimeNs: 1n, ctimeNs: 1n };
  const owner = { uid: 0, gid: 0, user: '', group: '' };
  const numbers = { inode: 0n, deviceId: 0n, sizeBytes: 0, links: 0n };
  return { name: rawPathOf(name), type, mode: 0, ...times, ...owner, ...numbers, content: null, ...more };
}

function file(name: string, ...content: readonly BlobId[]): TreeNode {
  return node(name, 'file', { content });
}

test('a sound snapshot has no findings', async () => {
  const at = new Fixture();
  const below = await at.tree(file('a', await at.blob('1')), file('empty'));
  assert.deepEqual(await at.findings(await at.tree(node('d', 'dir', { subtree: below }))), []);
});

test('each lost blob is found once, however many files need it', async () => {
  const at = new Fixture();
  const tree = await at.tree(file('a', nowhere), file('b', nowhere, await at.blob('1')));
  const [finding, ...more] = await at.findings(tree, tree);
  assert.deepEqual([finding?.kind, finding?.id, finding?.tree, more], ['blob-missing', nowhere, tree, []]);
});

test('lost and damaged trees are found, and those beside them checked', async () => {
  const at = new Fixture();
  const damaged = await at.store.writer.storeTree(Buffer.from('{"nodes":[{"name":"../x","type":"file"}]}'));
  const tree = await at.tree(
    node('a', 'dir', { subtree: damaged.id }),
    node('b', 'dir', { subtree: parseBlobId('11'.repeat(32)) }),
    file('c', nowhere),
  );
  const kinds = (await at.findings(tree)).map(({ kind }) => kind).toSorted();
  assert.deepEqual(kinds, ['blob-missing', 'tree-unreadable', 'tree-unreadable']);
});

test('a file without a list of blobs and a folder without a tree are wrong', async () => {
  const at = new Fixture();
  const findings = await at.findings(await at.tree(node('d', 'dir', {}), node('f', 'file', {})));
  assert.deepEqual(
    findings.map(({ kind }) => kind),
    ['node-wrong', 'node-wrong'],
  );
});

test('findings beyond ten thousand are counted, and what they concern is known', async () => {
  const at = new Fixture();
  const lost = Array.from({ length: 10_007 }, (_, n) => parseBlobId(n.toString(16).padStart(64, '0')));
  const tree = await at.tree(file('a', ...lost));
  const { findings, dropped, bad } = await checkTrees(at.store.repository, [{ tree }], options);
  assert.deepEqual([findings.length, dropped, bad.size], [10_000, 7, 10_007]);
});

test('a folder of two hundred thousand folders is no trouble', async () => {
  const at = new Fixture();
  const empty = await at.tree();
  const many = Array.from({ length: 200_000 }, (_, n) => node(`${n}`.padStart(6, '0'), 'dir', { subtree: empty }));
  const { id } = await at.store.writer.storeTree(encodeTree(many));
  assert.deepEqual(await at.findings(id), []);
});

test('what bad blobs take away is named, in each snapshot', async () => {
  const at = new Fixture();
  const [good, bad] = [await at.blob('good'), await at.blob('bad')];
  const lost = parseBlobId('22'.repeat(32));
  const below = await at.tree(file('x', good, bad), file('y', good));
  const old = await at.tree(node('d', 'dir', { subtree: below }));
  const recent = await at.tree(
    node('d', 'dir', { subtree: below }),
    node('e', 'dir', { subtree: lost }),
    file('z', bad),
  );
  const snapshots = [old, recent].map((tree, n) => ({ id: fileIdOf(Buffer.alloc(32, n)), tree }));
  const set = new BlobSet();
  set.add('data', bad);
  const items = await Array.fromAsync(affectedItems(at.store.repository, snapshots, set, options.signal));
  const named = items.map(({ snapshot, path, type }) => `${snapshot.slice(0, 2)} ${type} ${path}`);
  assert.deepEqual(named, ['00 data /d/x', '01 data /d/x', '01 tree /e', '01 data /z']);
});

test('a tree without anything bad is read once, wherever it stands, and what is bad is named wherever it stands', async () => {
  const at = new Fixture();
  const [good, bad] = [await at.blob('good'), await at.blob('bad')];
  const sound = await at.tree(node('deep', 'dir', { subtree: await at.tree(file('x', good)) }));
  const unsound = await at.tree(node('deep', 'dir', { subtree: await at.tree(file('y', good), file('z', bad)) }));
  const tree = await at.tree(
    ...['a', 'c', 'e'].flatMap((name, n) => [
      node(name, 'dir', { subtree: sound }),
      node(`${name}${n}`, 'dir', { subtree: unsound }),
    ]),
  );
  let read = 0;
  const reader = { readBlob: async (type: BlobType, id: BlobId) => (read++, at.store.read(type, id)) };
  const snapshots = [1, 2].map((n) => ({ id: fileIdOf(Buffer.alloc(32, n)), tree }));
  const set = new BlobSet();
  set.add('data', bad);
  const items = await Array.fromAsync(affectedItems(reader, snapshots, set, options.signal));
  const wanted = ['01', '02'].flatMap((id) => ['a0', 'c1', 'e2'].map((name) => `${id} /${name}/deep/z`));
  assert.deepEqual(
    items.map(({ snapshot, path }) => `${snapshot.slice(0, 2)} ${path}`),
    wanted,
  );
  assert.equal(read, 5, 'the root, and two trees of each kind');
});

test('a bad tree is named by its folder, once, though it can be read, and so is what else is bad below it', async () => {
  const at = new Fixture();
  const bad = await at.blob('bad');
  const folder = await at.tree(file('x', bad));
  const tree = await at.tree(node('d', 'dir', { subtree: folder }), node('e', 'dir', { subtree: folder }));
  const snapshots = [1, 2].map((n) => ({ id: fileIdOf(Buffer.alloc(32, n)), tree }));
  const namedBy = async (set: BlobSet): Promise<readonly string[]> => {
    const items = await Array.fromAsync(affectedItems(at.store.repository, snapshots, set, options.signal));
    return items.map(({ snapshot, path, type }) => `${snapshot.slice(0, 2)} ${type} ${path}`);
  };
  const set = new BlobSet();
  set.add('tree', folder);
  assert.deepEqual(await namedBy(set), ['01 tree /d', '01 tree /e', '02 tree /d', '02 tree /e']);
  set.add('data', bad);
  const below = ['tree /d', 'data /d/x', 'tree /e', 'data /e/x'];
  assert.deepEqual(await namedBy(set), [...below.map((item) => `01 ${item}`), ...below.map((item) => `02 ${item}`)]);
  const roots = new BlobSet();
  roots.add('tree', tree);
  assert.deepEqual(await namedBy(roots), ['01 tree /', '02 tree /']);
});

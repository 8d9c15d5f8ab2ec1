import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeTree } from '../../test/support/encode-tree.ts';
import { MemoryBlobs } from '../../test/support/memory-blobs.ts';
import { displayPath, fileIdOf, parseBlobId, rawPathOf } from '../bytes/ids.ts';
import { silent } from '../events/events.ts';
import type { TreeNode } from './entry.ts';
import { planSnapshotRepair } from './repair.ts';
import type { Snapshot } from './snapshot.ts';

const plain: Omit<TreeNode, 'name'> = {
  ...{ type: 'dir', mode: 0, mtimeNs: 1n, atimeNs: 1n, ctimeNs: 1n, uid: 0, gid: 0, user: '', group: '' },
  ...{ inode: 0n, deviceId: 0n, sizeBytes: 0, links: 0n, content: null },
};

function snapshotOf(tree: Snapshot['tree']): Snapshot {
  return {
    ...{ id: fileIdOf(Buffer.alloc(32)), timeNs: 0n, time: '2026-01-01T00:00:00Z', tree, paths: ['/d'], tags: [] },
    ...{ hostname: 'host', username: 'ann', uid: 0, gid: 0, excludes: [], programVersion: '', others: {} },
  };
}

test('a hundred and fifty thousand lost files are named one by one', async () => {
  const { writer, repository } = new MemoryBlobs();
  const content = [parseBlobId('00'.repeat(32))];
  const names = Array.from({ length: 150_000 }, (_, n) => `${n}`.padStart(6, '0'));
  const files = names.map((name): TreeNode => ({
    ...plain,
    type: 'file',
    name: rawPathOf(name),
    sizeBytes: 1,
    content,
  }));
  const { id: subtree } = await writer.storeTree(encodeTree(files));
  const { id } = await writer.storeTree(encodeTree([{ ...plain, name: rawPathOf('d'), subtree }]));
  const options = { listener: silent, signal: new AbortController().signal, present: [] };
  const { repairs } = await planSnapshotRepair(repository, [snapshotOf(id)], options);
  const named = repairs[0]?.changes ?? [];
  assert.equal(named.length, names.length);
  assert.equal(displayPath(named.at(-1)?.path ?? rawPathOf('')), '/d/149999');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseBlobId } from '../bytes/ids.ts';
import { silent } from '../events/events.ts';
import { usedBlobs } from './used-blobs.ts';
import { walkTree } from './walk.ts';

const id = parseBlobId('ab'.repeat(32));

/** A storage that answers every question with a folder that holds itself. */
const cycle = {
  readBlob: async () => Buffer.from(`{"nodes":[{"name":"a","type":"dir","content":null,"subtree":"${id}"}]}`),
};

test('a folder that holds itself is refused at a depth that no file system has', async () => {
  let nodes = 0;
  for await (const item of walkTree(cycle, id)) {
    if (item.kind === 'node') nodes += 1;
    else assert.match(item.error.message, /nested more than 2048 deep/);
  }
  assert.equal(nodes, 2048);
});

test('a folder that holds itself is read once when the blobs in use are collected', async () => {
  const used = await usedBlobs(cycle, [id], { listener: silent, signal: new AbortController().signal });
  assert.equal(used.size, 1);
});

test('a walk that is aborted ends with the reason', async () => {
  const controller = new AbortController();
  const walk = walkTree(cycle, id, { signal: controller.signal });
  await walk.next();
  controller.abort(new Error('enough'));
  await assert.rejects(walk.next(), /enough/);
});

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { jobContext, newRepository } from '../../test/support/engine.ts';
import { writerOptions } from '../../test/support/pipeline.ts';
import { rawPathOf } from '../bytes/ids.ts';
import type { Metadata } from '../snapshot/entry.ts';
import type { Source } from '../source/source.ts';
import { MemoryStorage } from '../storage/memory.ts';
import { backup, type BackupOutcome } from './backup.ts';

const pagesBytes = 131_072;
const big = randomBytes(3 * pagesBytes);
const whole = randomBytes(100);

async function backUp(storage: MemoryStorage, source: Source): Promise<BackupOutcome> {
  const { signal: _signal, ...writer } = writerOptions();
  const maker = { hostname: 'host', username: 'ann', uid: 0, gid: 0, programVersion: 'holdfast test' };
  return await backup(jobContext(storage), {
    source,
    paths: [rawPathOf('/shop-db')],
    parent: { kind: 'latest', groupBy: { host: true, paths: true, tags: false } },
    detection: { mode: 'metadata', ctime: 'compared', inode: 'compared' },
    snapshot: { ...maker, tags: [], excludes: [] },
    writer,
    whenUnchanged: 'save',
    scan: 'none',
    notes: 'none',
  });
}

const file: Metadata = {
  ...{ type: 'file', mode: 0o600, mtimeNs: 1n, atimeNs: 1n, ctimeNs: 1n, uid: 0, gid: 0, user: '', group: '' },
  ...{ inode: 0n, deviceId: 0n, sizeBytes: big.length, links: 0n },
};

async function* stream(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Stores what comes last before its entry is due; tells how each file was cut before. */
function source(told: Map<string, number | undefined>, bytes: Uint8Array = big): Source {
  return {
    async *entries({ store, cutBefore }) {
      assert.ok(store);
      for (const path of ['data/big', 'data/small', 'data/none', 'none/big'])
        told.set(path, await cutBefore?.(rawPathOf(path)));
      const later = await store({ kind: 'bytes', bytes: whole });
      const stored = await store({ kind: 'stream', stream: stream(bytes), cut: { pagesBytes } });
      yield { path: rawPathOf('data/big'), metadata: file, content: { kind: 'stored', stored } };
      yield { path: rawPathOf('data/small'), metadata: file, content: { kind: 'stored', stored: later } };
    },
  };
}

test('contents that came before their entries are stored and counted once, and how they were cut is told next time', async () => {
  const storage = new MemoryStorage();
  await newRepository(storage);
  const told = new Map<string, number | undefined>();
  const first = await backUp(storage, source(told));
  assert.deepEqual([...told.values()], [undefined, undefined, undefined, undefined]);
  assert.equal(first.counts.totalBytesProcessed, big.length + whole.length);
  assert.deepEqual([first.counts.filesNew, first.counts.dataBlobs], [2, 4]);
  const second = await backUp(storage, source(told));
  assert.deepEqual([...told.values()], [pagesBytes, undefined, undefined, undefined]);
  assert.deepEqual([second.counts.dataBlobs, second.counts.filesUnmodified], [0, 2]);
  const third = await backUp(storage, source(told, randomBytes(big.length)));
  assert.deepEqual([third.counts.dataBlobs, third.counts.filesChanged], [3, 1], 'metadata alone say nothing of it');
});

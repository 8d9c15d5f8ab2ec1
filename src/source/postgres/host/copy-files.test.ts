import assert from 'node:assert/strict';
import { statSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { tempDir } from '../../../../test/support/temp-dir.ts';
import { rawPathOf } from '../../../bytes/ids.ts';
import { HoldfastError, hasCode } from '../../../errors/error.ts';
import { silent } from '../../../events/events.ts';
import type { Content, StoredContent } from '../../../repository/content.ts';
import { Spool } from '../spool.ts';
import { Copying, type CopyOptions } from './copy-files.ts';
import type { Listed } from './listing.ts';

const nothingNew = { ids: [], newBlobs: 0, newBytes: 0, storedBytes: 0 };

function storedAs(content: Content, wrongBlocks: readonly number[] = []): StoredContent {
  assert.ok(content.kind === 'live-file');
  return { ...nothingNew, sizeBytes: content.sizeBytes, read: { crc32c: 7, wrongBlocks } };
}

function copying(spool: Spool, store: CopyOptions['store']): Copying {
  return new Copying({
    ...{ spool, store, listener: silent, signal: new AbortController().signal, clusterBytes: 0 },
    ...{ cutBefore: async () => undefined, parent: undefined, isUnchanged: () => false },
    checks: { pageBytes: 8192, blocksPerFile: 131_072, before: 9n },
  });
}

/** A file of 16 KiB under this name of the data directory. */
function listed(file: string, path: string): Listed {
  writeFileSync(file, Buffer.alloc(16_384, 1));
  return { path: rawPathOf(path), place: rawPathOf(file), type: 'file', stat: statSync(file, { bigint: true }) };
}

test('pages of a relation are checked by the numbers that they have in it, whichever of its files they are in', async () => {
  await using dir = await tempDir();
  using spool = new Spool();
  const asked: Content[] = [];
  const copied = copying(spool, async (content) => {
    asked.push(content);
    return storedAs(content, [131_072 * 2 + 1]);
  });
  for (const path of ['base/5/16384', 'base/5/16384.2', 'base/5/16384_vm', 'base/5/pg_filenode.map', 'pg_xact/0000'])
    await copied.take(listed(dir.file('file'), path));
  await copied.settled();
  const checked = asked.map((content) => (content.kind === 'live-file' ? content.pages?.firstBlock : 'none'));
  assert.deepEqual(checked, [0, 262_144, 0, undefined, undefined]);
  assert.deepEqual(copied.wrongPages.first[1], { path: 'base/5/16384.2', block: 262_145 });
});

test('of wrong pages a hundred are held, and all are counted', async () => {
  await using dir = await tempDir();
  using spool = new Spool();
  const wrong = Array.from({ length: 70 }, (_, block) => block);
  const copied = copying(spool, async (content) => storedAs(content, wrong));
  for (const path of ['base/5/1', 'base/5/2', 'base/5/3']) await copied.take(listed(dir.file('file'), path));
  await copied.settled();
  assert.deepEqual([copied.wrongPages.first.length, copied.wrongPages.count], [100, 210]);
});

test('a file that was dropped before it was read is left out; one that is there and can’t be read ends the backup', async () => {
  await using dir = await tempDir();
  using spool = new Spool();
  const unread = async (): Promise<never> => {
    throw new HoldfastError('source-failed', 'cannot read it');
  };
  const dropped = copying(spool, unread);
  const there = listed(dir.file('there'), 'base/5/2');
  await dropped.take({ ...there, place: rawPathOf(dir.file('gone')), path: rawPathOf('base/5/1') });
  await dropped.settled();
  assert.ok(!spool.has(rawPathOf('base/5/1')));
  const failing = copying(spool, unread);
  await failing.take(there);
  await assert.rejects(failing.settled(), (error) => hasCode(error, 'source-failed'));
});

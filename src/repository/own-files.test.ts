import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import fc from 'fast-check';
import { newRepository } from '../../test/support/repository.ts';
import { tempDir } from '../../test/support/temp-dir.ts';
import { MemoryStorage } from '../storage/memory.ts';
import { writeOwnBytes } from './own-bytes.ts';
import { OwnFiles } from './own-files.ts';

const name = 'holdfast/log/shop-db/1/00000001/one';

for (const version of [1, 2] as const)
  test(`own bytes come into a file as they were written, in a repository of version ${version}, over what stood there`, async () => {
    await using dir = await tempDir();
    await using files = new OwnFiles();
    const path = dir.file('segment');
    const repeated = fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 60 }), fc.nat({ max: 20_000 }));
    const contents = fc.oneof(
      fc.uint8Array({ maxLength: 500 }),
      repeated.map(([bytes, times]) => Buffer.alloc(bytes.length * times, bytes)),
    );
    await fc.assert(
      fc.asyncProperty(contents, async (bytes) => {
        const repository = await newRepository(new MemoryStorage(), version);
        await writeOwnBytes(repository, name, { about: { told: 7 }, bytes });
        await writeFile(path, 'what stood there before, and was longer than nothing');
        const file = await files.write(repository, name, path);
        assert.deepEqual([file.about['told'], file.sizeBytes], [7, bytes.length]);
        assert.deepEqual(Buffer.from(file.beginning), Buffer.from(bytes.subarray(0, 512)));
        assert.ok((await readFile(path)).equals(bytes));
      }),
      { numRuns: 30 },
    );
  });

test('what was changed, cut off or put under another name does not come into a file', async () => {
  await using dir = await tempDir();
  await using files = new OwnFiles();
  const storage = new MemoryStorage();
  const repository = await newRepository(storage);
  await writeOwnBytes(repository, name, { about: {}, bytes: Buffer.alloc(300_000, 'a segment ') });
  const stored = Buffer.from(await storage.get(name));
  const changed = Buffer.from(stored);
  changed.writeUInt8(changed.readUInt8(40) ^ 1, 40);
  for (const [other, bytes] of [
    ['changed', changed],
    ['cut', stored.subarray(0, -1)],
    ['nothing', Buffer.of()],
    ['renamed', stored],
  ] as const) {
    await storage.put(`holdfast/${other}`, [bytes]);
    const writing = files.write(repository, `holdfast/${other}`, dir.file('segment'));
    await assert.rejects(writing, { code: 'damaged', message: new RegExp(`^holdfast/${other} can't be opened: `) });
  }
});

test('only an object that is not there is not found: a file that can’t be written is told as such', async () => {
  await using dir = await tempDir();
  await using files = new OwnFiles();
  const repository = await newRepository();
  await writeOwnBytes(repository, name, { about: {}, bytes: Buffer.from('a segment') });
  await assert.rejects(files.write(repository, 'holdfast/other', dir.file('segment')), { code: 'storage-not-found' });
  await assert.rejects(files.write(repository, name, dir.file('no/such/folder')), {
    code: 'source-failed',
    message: /can't be written: no such file/,
  });
});

test('after writes that failed, of a full disk or of another object’s bytes, what is intact is written by each thread', async () => {
  await using dir = await tempDir();
  await using files = new OwnFiles();
  const storage = new MemoryStorage();
  const repository = await newRepository(storage);
  const bytes = Buffer.concat([randomBytes(600_000), Buffer.alloc(600_000)]);
  await writeOwnBytes(repository, name, { about: {}, bytes });
  await storage.put('holdfast/renamed', [await storage.get(name)]);
  const failing = async (code: string, object: string, path: string): Promise<void> =>
    await assert.rejects(files.write(repository, object, path), { code });
  const writing = async (at: number): Promise<boolean> => {
    const path = dir.file(`segment-${at}`);
    await files.write(repository, name, path);
    return (await readFile(path)).equals(bytes);
  };
  const times = [0, 1, 2, 3];
  await Promise.all(times.map(async () => await failing('source-failed', name, '/dev/full')));
  assert.deepEqual(await Promise.all(times.map(writing)), [true, true, true, true]);
  await Promise.all(times.map(async (at) => await failing('damaged', 'holdfast/renamed', dir.file(`renamed-${at}`))));
  assert.deepEqual(await Promise.all(times.map(writing)), [true, true, true, true]);
});

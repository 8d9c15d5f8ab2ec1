import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { systemClock } from '../src/clock/clock.ts';
import { blobIdFor } from '../src/crypto/id.ts';
import { silent } from '../src/events/events.ts';
import { cheapKey, newRepository } from './support/engine.ts';
import { servedOk } from './support/holdfast.ts';
import { writerOptions } from './support/pipeline.ts';
import { tempDir } from './support/temp-dir.ts';
import { cheapRepository } from './support/two-tools.ts';

test('trees are compressed even with compression off, data is not', async () => {
  await using repository = await newRepository();
  await using writer = await repository.openWriter(writerOptions({ compression: 'off' }));
  const text = Buffer.from(`{"nodes":[]}\n${' '.repeat(5000)}`);
  await writer.storeTree(text);
  await writer.storeBlob('data', text);
  await writer.flush();
  await repository.loadIndex(silent);
  const found = [...repository.index.all()].map(({ type, compressed }) => `${type} ${compressed}`);
  assert.deepEqual(found.toSorted(), ['data false', 'tree true']);
});

test('an index file names at most 50,000 blobs', { timeout: 120_000 }, async () => {
  await using repository = await newRepository();
  await using writer = await repository.openWriter(writerOptions({ extraVerify: 'unverified', compression: 'off' }));
  const blobs = 60_000;
  for (let at = 0; at < blobs; at += 1000) {
    const group = Array.from({ length: 1000 }, (_, i) => Buffer.from(`blob ${at + i}`.padEnd(300, '.')));
    await Promise.all(group.map(async (bytes) => await writer.storeBlob('data', bytes)));
  }
  await writer.flush();
  const counts: number[] = [];
  for await (const { id } of repository.list('index')) {
    const { packs } = JSON.parse(Buffer.from(await repository.readFile('index', id)).toString()) as IndexFile;
    counts.push(packs.reduce((sum, pack) => sum + pack.blobs.length, 0));
  }
  assert.equal(
    counts.reduce((sum, count) => sum + count),
    blobs,
  );
  // restic's rule: a file is closed once it has so many, by the pack that brought it there.
  assert.ok(counts.length >= 2, `one index file has ${counts[0]} blobs`);
});

interface IndexFile {
  readonly packs: readonly { readonly blobs: readonly unknown[] }[];
}

test('holdfast/repository creates, writes, opens and reads a repository', async () => {
  await using dir = await tempDir();
  const library = await import('holdfast/repository');
  const place = dir.file('repository');
  const content = Buffer.from('stored by a library');
  {
    const storage = await library.openStorage(place, { create: true });
    await using made = await library.createRepository({ storage, clock: systemClock, key: cheapKey, version: 2 });
    await using writer = await made.openWriter(writerOptions());
    await writer.storeBlob('data', content);
    await writer.flush();
  }
  const storage = await library.openStorage(place);
  await using opened = await library.openRepository({ storage, clock: systemClock, password: cheapKey.password });
  await opened.loadIndex(silent);
  assert.deepEqual(Buffer.from(await opened.readBlob('data', blobIdFor(content))), content);
});

test('check says what it did not read and what it can’t know', async () => {
  await using dir = await tempDir();
  const at = await cheapRepository(dir.file('repository'));
  mkdirSync(dir.file('data'));
  writeFileSync(dir.file('data/file'), 'content');
  await servedOk(at, ['backup', dir.file('data')]);
  const said = await servedOk(at, ['check', '-v']);
  assert.match(said, /NOT RUN: reading the data/);
  assert.match(said, /can’t be known: whether somebody removed a snapshot/);
});

import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { writeManyRecords } from '../../test/support/many-records.ts';
import { newRepository } from '../../test/support/repository.ts';
import { tempDir } from '../../test/support/temp-dir.ts';
import { newSignerPem, signerFromPem } from '../crypto/signature.ts';
import { removeOwnObject } from '../repository/own-object.ts';
import type { Repository } from '../repository/repository.ts';
import { MemoryStorage } from '../storage/memory.ts';
import { Catalogue, type RecordFilter } from './catalogue.ts';
import { appendRecord } from './chain.ts';
import { foldClosedMonths } from './fold.ts';
import { recordName } from './form.ts';
import type { RecordFacts, RecordKind, StoredRecord, Writer } from './record.ts';
import { refresh } from './refresh.ts';
import type { Finding } from './walk.ts';

const all: RecordFilter = { components: [], kinds: [] };

function newWriter(id = 'host-1'): Writer {
  return { id, signer: signerFromPem(newSignerPem()) };
}

function fact(n: number, component = 'shop', kind: RecordKind = 'run'): RecordFacts {
  return { kind, component, timeNs: BigInt(n) * 1_000_000_000n, actor: { id: 'ops', via: 'cli' }, data: { n } };
}

async function chain(repository: Repository, writer: Writer, facts: readonly RecordFacts[]): Promise<StoredRecord[]> {
  const records: StoredRecord[] = [];
  for (const one of facts) records.push(await appendRecord(repository, one, writer));
  return records;
}

const anybody = { components: [], signersOf: () => undefined };

async function refreshed(catalogue: Catalogue, repository: Repository): Promise<readonly Finding[]> {
  return await refresh(catalogue, repository, anybody);
}

test('a catalogue holds what was recorded, in the order of time, by component, kind and time', async () => {
  await using repository = await newRepository();
  using catalogue = new Catalogue(undefined);
  const written = [
    ...(await chain(repository, newWriter('one'), [fact(1), fact(4, 'shop', 'copy'), fact(2)])),
    ...(await chain(repository, newWriter('two'), [fact(3, 'mail'), fact(230_000_000_000, 'mail'), fact(-5, 'mail')])),
  ];
  assert.deepEqual(await refreshed(catalogue, repository), []);
  const inTime = written.toSorted((a, b) => Number(a.timeNs - b.timeNs));
  assert.deepEqual([...catalogue.records(all)], inTime);
  const found = (filter: Partial<RecordFilter>): readonly unknown[] =>
    [...catalogue.records({ ...all, ...filter })].map(({ data }) => data['n']);
  assert.deepEqual(found({ components: ['shop'] }), [1, 2, 4]);
  assert.deepEqual(found({ kinds: ['copy', 'verification'] }), [4]);
  assert.deepEqual(found({ sinceNs: 3_000_000_000n }), [3, 4, 230_000_000_000]);
  assert.deepEqual(found({ components: ['shop'], kinds: ['run'], sinceNs: 2_000_000_000n }), [2]);
});

/** Counts what is read of it. */
class CountingStorage extends MemoryStorage {
  readonly got: string[] = [];

  override async get(...args: Parameters<MemoryStorage['get']>): ReturnType<MemoryStorage['get']> {
    this.got.push(args[0]);
    return await super.get(...args);
  }
}

test('each record is read once, by whichever process, also when months are folded meanwhile', async () => {
  await using dir = await tempDir();
  const storage = new CountingStorage();
  await using repository = await newRepository(storage);
  const writer = newWriter();
  await chain(repository, writer, [fact(1), fact(2), fact(3)]);
  const path = dir.file('records.sqlite');
  {
    using first = new Catalogue(path);
    await refreshed(first, repository);
  }
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  await foldClosedMonths(repository, writer, 3_000_000_000n);
  await chain(repository, writer, [fact(4)]);
  using second = new Catalogue(path);
  storage.got.length = 0;
  await refreshed(second, repository);
  assert.deepEqual(storage.got, [recordName('shop', 'host-1', 4)]);
  assert.deepEqual(
    [...second.records(all)].map(({ sequence }) => sequence),
    [1, 2, 3, 4],
  );
});

test('what the repository has no more is shown no more', async () => {
  await using repository = await newRepository();
  using catalogue = new Catalogue(undefined);
  const writer = newWriter();
  await chain(repository, writer, [fact(1), fact(2), fact(3)]);
  await chain(repository, writer, [fact(1, 'mail')]);
  await refreshed(catalogue, repository);
  await removeOwnObject(repository, recordName('shop', 'host-1', 3));
  await removeOwnObject(repository, recordName('mail', 'host-1', 1));
  assert.deepEqual(await refreshed(catalogue, repository), []);
  assert.equal([...catalogue.records(all)].length, 2);
});

test('a catalogue that was changed so that the next record doesn’t fit is read again from the beginning', async () => {
  await using dir = await tempDir();
  await using repository = await newRepository();
  const writer = newWriter();
  const [first, second] = await chain(repository, writer, [fact(1), fact(2)]);
  const path = dir.file('records.sqlite');
  {
    using catalogue = new Catalogue(path);
    await refreshed(catalogue, repository);
  }
  const database = new DatabaseSync(path);
  database.exec(`UPDATE chain SET hash = 'another'; UPDATE record SET facts = replace(facts, '"n":2', '"n":3')`);
  database.close();
  const third = await appendRecord(repository, fact(3), writer);
  using catalogue = new Catalogue(path);
  assert.deepEqual(await refreshed(catalogue, repository), []);
  assert.deepEqual([...catalogue.records(all)], [first, second, third]);
});

test('keys that are believed now decide what is shown, whatever was read before', async () => {
  await using repository = await newRepository();
  using catalogue = new Catalogue(undefined);
  const [believed, stranger] = [newWriter(), newWriter()];
  await chain(repository, believed, [fact(1)]);
  await chain(repository, stranger, [fact(2)]);
  await refreshed(catalogue, repository);
  assert.equal([...catalogue.records(all)].length, 2);
  const signersOf = (): readonly string[] => [believed.signer.publicKey];
  const [finding] = await refresh(catalogue, repository, { components: [], signersOf });
  assert.match(finding?.reason ?? '', /a key that nobody introduced/);
  assert.equal([...catalogue.records(all)].length, 1);
});

test('several processes that read at once know each record once', async () => {
  await using dir = await tempDir();
  await using repository = await newRepository();
  await writeManyRecords(repository, { records: 400, components: ['shop', 'mail'], layout: 'loose' });
  using catalogues = new DisposableStack();
  const opened = [1, 2, 3].map(() => catalogues.use(new Catalogue(dir.file('records.sqlite'))));
  await Promise.all(opened.map(async (one) => await refreshed(one, repository)));
  for (const one of opened) assert.equal([...one.records(all)].length, 400);
});

test('what is no catalogue, is damaged, or is of another version, is said to be', async () => {
  await using dir = await tempDir();
  await using repository = await newRepository();
  await chain(repository, newWriter(), [fact(1)]);
  const path = dir.file('records.sqlite');
  await writeFile(path, 'no database at all, though longer than the head of one would be'.repeat(20));
  assert.throws(() => new Catalogue(path), { code: 'damaged' });
  const newer = dir.file('newer.sqlite');
  using catalogue = new Catalogue(newer);
  await refreshed(catalogue, repository);
  const database = new DatabaseSync(newer);
  database.exec('PRAGMA user_version = 99');
  database.close();
  assert.throws(() => new Catalogue(newer), { code: 'damaged' });
  assert.throws(() => new Catalogue(dir.file('no/such/folder')), { code: 'refused' });
  const whole = dir.file('whole.sqlite');
  {
    using one = new Catalogue(whole);
    await refreshed(one, repository);
  }
  const bytes = await readFile(whole);
  bytes.fill(0xff, 4096, 4096 * 2);
  await writeFile(whole, bytes);
  assert.throws(() => new Catalogue(whole), { code: 'damaged' });
});

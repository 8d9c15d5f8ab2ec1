import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { fileIdOf, parseBlobId, type FileId } from '../bytes/ids.ts';
import { HoldfastError, hasCode } from '../errors/error.ts';
import type { SnapshotFields } from './snapshot.ts';
import {
  anySnapshot,
  findLatest,
  findSnapshot,
  findSnapshots,
  listSnapshots,
  saveSnapshot,
  type SnapshotFiles,
} from './snapshots.ts';
import { withTags } from './tags.ts';

const now = Temporal.ZonedDateTime.from('2026-11-20T12:00[Europe/Kyiv]');
const options = { filter: anySnapshot, now };

/** The files of a repository, without sealing. */
function filesOf(stored: Map<FileId, Uint8Array>): SnapshotFiles {
  return {
    async *list() {
      for (const [id, { length }] of stored) yield { id, sizeBytes: length };
    },
    async readFile(_kind, id) {
      const found = stored.get(id);
      if (found === undefined) throw new HoldfastError('storage-not-found', `no ${id}`);
      return found;
    },
    async writeFile(_kind, plaintext) {
      const id = fileIdOf(createHash('sha256').update(plaintext).digest());
      stored.set(id, plaintext);
      return id;
    },
  };
}

function fields(time: string, more: Partial<SnapshotFields> = {}): SnapshotFields {
  const common = {
    hostname: 'one',
    username: '',
    uid: 0,
    gid: 0,
    excludes: [],
    tags: [],
    programVersion: '',
    others: {},
  };
  return { time, tree: parseBlobId('ab'.repeat(32)), paths: ['/a'], ...common, ...more };
}

async function repositoryWith(...snapshots: readonly SnapshotFields[]): Promise<SnapshotFiles> {
  const files = filesOf(new Map());
  for (const snapshot of snapshots) await saveSnapshot(files, snapshot);
  return files;
}

const files = await repositoryWith(
  fields('2026-11-18T10:00:00Z', { tags: ['a', 'b'] }),
  fields('2026-11-19T11:00:00+02:00', { hostname: 'two' }),
  fields('2026-11-19T14:30:00+02:00', { paths: ['/a', '/b'], tags: ['a'] }),
  fields('2026-11-20T09:00:00+02:00', { hostname: 'two', tags: ['c'] }),
);

async function timeOf(name: string, filter = anySnapshot): Promise<string> {
  return (await findSnapshot(files, name, { filter, now })).snapshot.time;
}

test('snapshots are listed oldest first, by instant and not by text', async () => {
  const times = (await listSnapshots(files)).map((found) =>
    found.kind === 'snapshot' ? found.snapshot.time.slice(8, 13) : '',
  );
  assert.deepEqual(times, ['18T10', '19T11', '19T14', '20T09']);
});

test('latest is the newest that the filter lets through', async () => {
  assert.equal(await timeOf('latest'), '2026-11-20T09:00:00+02:00');
  assert.equal(await timeOf('latest', { ...anySnapshot, hosts: ['one'] }), '2026-11-19T14:30:00+02:00');
  assert.equal(await timeOf('latest', { ...anySnapshot, paths: ['/b'] }), '2026-11-19T14:30:00+02:00');
  assert.equal(await timeOf('latest', { ...anySnapshot, tagLists: [['a', 'b'], ['x']] }), '2026-11-18T10:00:00Z');
  assert.equal(await timeOf('latest', { ...anySnapshot, tagLists: [['']] }), '2026-11-19T11:00:00+02:00');
  await assert.rejects(timeOf('latest', { ...anySnapshot, hosts: ['three'] }), /no snapshot for host three/);
});

test('a moment names the newest snapshot of then or before', async () => {
  assert.equal(await timeOf('yesterday 14:00'), '2026-11-19T11:00:00+02:00');
  assert.equal(await timeOf('yesterday 14:30'), '2026-11-19T14:30:00+02:00');
  assert.equal(await timeOf('yesterday'), '2026-11-19T14:30:00+02:00');
  assert.equal(await timeOf('today'), '2026-11-20T09:00:00+02:00');
  assert.equal(await timeOf('2026-11-18'), '2026-11-18T10:00:00Z');
  assert.equal(await timeOf('2026-11-19T12:29:59Z'), '2026-11-19T11:00:00+02:00');
  // As --json writes times.
  assert.equal(await timeOf('2026-11-19T12:29:59.999999999Z'), '2026-11-19T11:00:00+02:00');
  assert.equal(await timeOf('2026-11-19T12:30:00.000000001Z'), '2026-11-19T14:30:00+02:00');
  assert.equal(await timeOf('yesterday', { ...anySnapshot, hosts: ['two'] }), '2026-11-19T11:00:00+02:00');
  await assert.rejects(
    timeOf('2026-11-17'),
    (error) => hasCode(error, 'snapshot-not-found') && error.message.includes('2026-11-17T23:59:59+02:00'),
  );
  await assert.rejects(timeOf('2026-02-30'), (error) => hasCode(error, 'usage'));
});

test('an ID or the start of one names a snapshot, whatever the filter', async () => {
  const [first] = await listSnapshots(files);
  assert.ok(first?.kind === 'snapshot');
  const { id } = first.snapshot;
  const filter = { ...anySnapshot, hosts: ['nobody'] };
  for (const name of [id, id.slice(0, 8)])
    assert.equal((await findSnapshot(files, name, { filter, now })).snapshot.id, id);
  await assert.rejects(findSnapshot(files, 'xyz', options), (error) => hasCode(error, 'snapshot-not-found'));
  await assert.rejects(findSnapshot(files, '', options), (error) => hasCode(error, 'snapshot-not-found'));
});

test('an ambiguous start of an ID is refused', async () => {
  const many = await repositoryWith(...Array.from({ length: 17 }, (_none, n) => fields(`2026-01-01T00:00:${10 + n}Z`)));
  const starts = (await listSnapshots(many)).map((found) =>
    found.kind === 'snapshot' ? found.snapshot.id[0] : undefined,
  );
  const twice = starts.find((start, at) => starts.indexOf(start) !== at) ?? '';
  await assert.rejects(findSnapshot(many, twice, options), /more than one/);
});

test('a folder inside follows a colon', async () => {
  assert.equal((await findSnapshot(files, 'latest:/a/b:c', options)).subfolder, '/a/b:c');
  const byTime = await findSnapshot(files, 'yesterday 14:00:/a', options);
  assert.deepEqual([byTime.subfolder, byTime.moment?.text], ['/a', '2026-11-19T14:00:00+02:00']);
  const [found] = await findSnapshots(files, ['latest:/a'], options);
  assert.ok(found?.kind === 'failed' && found.error.code === 'usage');
});

test('of several names each snapshot is found once, and what is not found is named', async () => {
  const found = await findSnapshots(files, ['latest', 'today', 'beef', '2026-11-18'], options);
  assert.deepEqual(
    found.map((one) => (one.kind === 'failed' ? one.name : one.snapshot.time.slice(0, 10))),
    ['2026-11-20', 'beef', '2026-11-18'],
  );
});

test('a snapshot that can’t be read is listed last as a failure, and latest is not guessed beside it', async () => {
  const stored = new Map<FileId, Uint8Array>();
  const damaged = filesOf(stored);
  await saveSnapshot(damaged, fields('2026-11-18T10:00:00Z'));
  await damaged.writeFile('snapshots', Buffer.from('{"time":1}'));
  assert.deepEqual(
    (await listSnapshots(damaged)).map(({ kind }) => kind),
    ['snapshot', 'failed'],
  );
  await assert.rejects(findLatest(damaged, anySnapshot), (error) => hasCode(error, 'damaged'));
});

test('changed tags make a new snapshot that names the first one', async () => {
  const [first] = await listSnapshots(files);
  assert.ok(first?.kind === 'snapshot');
  const { snapshot } = first;
  assert.equal(withTags(snapshot, { add: ['a'], remove: ['z'] }), undefined);
  const changed = withTags(snapshot, { add: ['c'], remove: ['a'] });
  assert.deepEqual([changed?.tags, changed?.original], [['b', 'c'], snapshot.id]);
  assert.deepEqual(withTags(snapshot, { set: [''] })?.tags, []);
  const again = withTags({ ...snapshot, original: snapshot.id, id: fileIdOf(Buffer.alloc(32)) }, { set: ['x'] });
  assert.equal(again?.original, snapshot.id);
});

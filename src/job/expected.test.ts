import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseBlobId, parseFileId } from '../bytes/ids.ts';
import type { PointCopy, Proof } from '../point/point.ts';
import { loadPolicy } from '../policy/load.ts';
import type { StoredRecord } from '../record/record.ts';
import { expectedRestores, measuredIn } from './expected.ts';

const { policy } = loadPolicy(`
version: 1
repositories:
  cold: { url: "s3:https://h/b", password: { env: P }, media: archive }
  near: { url: /a, password: { env: P } }
  also: { url: /b, password: { env: P } }
components: { shop: { files: { paths: [/srv] }, backups: { r: { every: 1h, to: { near: { keep: { last: 1 } } } } } } }
`);
const stages = { find: 1, fetch: 10, start: 2, check: 3 };
const good = { outcome: 'verified', level: 'restore', bytes: 1000, files: 2, stages };

function record(data: StoredRecord['data'], other: Partial<StoredRecord> = {}): StoredRecord {
  const chain = { name: '', writer: '', sequence: 1, previous: '', hash: '', signer: '' };
  const actor = { id: 'me', via: 'cli' };
  return { kind: 'verification', component: 'shop', repository: 'near', timeNs: 0n, actor, ...chain, data, ...other };
}

test('what was restored whole and verified is a measurement, and nothing else is', () => {
  const { outcome: _outcome, level: _level, stages: _stages, ...sizes } = good;
  const measured = { repository: 'near', bytes: 1000, files: 2, stages };
  assert.deepEqual(measuredIn([record(good), record(good, { component: 'other' })], 'shop'), [measured]);
  const others = [
    record({ ...good, outcome: 'failed' }),
    record({ ...good, outcome: 'could not verify' }),
    record({ ...good, level: 'sample' }),
    record({ ...good, bytes: undefined }),
    record({ ...good, files: -1 }),
    record({ ...good, stages: { ...stages, fetch: 'long' } }),
    record({ ...good, stages: 7 }),
    record({ outcome: 'verified', level: 'restore', ...sizes }),
    record(good, { repository: undefined }),
    record(good, { kind: 'restore' }),
  ];
  assert.deepEqual(measuredIn(others, 'shop'), []);
});

function copy(repository: string, proof: Proof): PointCopy {
  const facts = { paths: [], hostname: '', username: '', uid: 0, gid: 0, excludes: [], tags: [], programVersion: '' };
  const [id, tree] = [parseFileId('0'.repeat(64)), parseBlobId('0'.repeat(64))];
  const none = { filesNew: 0, filesChanged: 0, filesUnmodified: 0, dirsNew: 0, dirsChanged: 0, dirsUnmodified: 0 };
  const counts = { ...none, dataBlobs: 0, treeBlobs: 0, dataAdded: 0, dataAddedPacked: 0 };
  const sums = { totalFilesProcessed: 4, totalBytesProcessed: 2000, backupStart: '', backupEnd: '', others: {} };
  return {
    held: 'repository',
    repository,
    proof,
    snapshot: { ...facts, id, time: '', timeNs: 0n, tree, others: {}, summary: { ...counts, ...sums } },
  };
}

test('copies are taken as they are near, those that were found bad last; each has a forecast of its own', () => {
  const bad: Proof = { state: 'failed', level: 'restore', timeNs: 0n };
  const stored: Proof = { state: 'stored' };
  const copies = [copy('cold', stored), copy('near', bad), copy('also', stored)];
  const point = { component: 'shop', rule: 'r', method: '', identity: '0', timeNs: 0n, sizeBytes: 2000, copies };
  const records = Array.from({ length: 3 }, () => record(good));
  const expected = expectedRestores(policy ?? assert.fail(), point, records);
  assert.deepEqual(
    expected.map(({ repository, forecast }) => [
      repository,
      forecast.state === 'known' ? forecast.seconds : forecast.measurements,
    ]),
    [
      ['also', 0],
      ['cold', 0],
      ['near', 1 + 20 + 2 + 3],
    ],
  );
});

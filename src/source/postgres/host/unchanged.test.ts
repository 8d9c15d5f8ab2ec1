import assert from 'node:assert/strict';
import { statSync, type BigIntStats } from 'node:fs';
import { test } from 'node:test';
import type { Description } from '../description.ts';
import { isUnchanged, readingFacts, whyReadAll, type Now } from './unchanged.ts';

const second = 1_000_000_000n;
const startedNs = 1_790_000_000n * second;

const now: Now = {
  systemIdentifier: '7',
  version: '15.18',
  timeline: 2,
  dataChecksums: 'on',
  dataDirectory: '/data',
  startLsn: 0x5000028n,
  startedNs: startedNs + 3600n * second,
  boot: { boot: 'b', seconds: 1_780_000_000 },
};

const parent: Description = {
  ...{ format: 1, version: '15.18', major: 15, systemIdentifier: '7', timeline: 2, startLsn: '0/4000028' },
  ...{ endLsn: '0/4000100', walSegmentBytes: 2 ** 24, dataDirectory: '/data', dataChecksums: 'right' },
  ...{ tablespaces: [], configuration: [], database: 'postgres', superuser: 'postgres', capacities: {} },
  reading: { startedNs: String(startedNs), boot: 'b', bootSeconds: 1_780_000_000, sinceAllRead: 3 },
};
const { reading } = parent;

test('on a host and a cluster that only went on, files are held against the parent', () => {
  assert.equal(whyReadAll(parent, now), undefined);
  assert.equal(readingFacts(parent, now, 'changed').sinceAllRead, 4);
  assert.equal(readingFacts(parent, now, 'all').sinceAllRead, 0);
});

const changes: Readonly<Record<string, [RegExp, Description | undefined, Now]>> = {
  'no parent': [/not read on this host/, undefined, now],
  'a parent that the server sent': [/not read on this host/, { ...parent, reading: undefined }, now],
  'another cluster': [/system identifier/, parent, { ...now, systemIdentifier: '8' }],
  'another version': [/version/, parent, { ...now, version: '15.19' }],
  'another timeline': [/timeline/, parent, { ...now, timeline: 3 }],
  'another data directory': [/data directory/, parent, { ...now, dataDirectory: '/other' }],
  'checksums that were switched': [/checksums/, parent, { ...now, dataChecksums: 'off' }],
  'wrong pages in the parent': [/wrong pages/, { ...parent, dataChecksums: 'wrong' }, now],
  'a log that went back': [/restored/, { ...parent, endLsn: '0/5000029' }, now],
  'another start of the host': [/host was started/, parent, { ...now, boot: { boot: 'c', seconds: 1_780_000_000 } }],
  'a host that does not tell': [/host was started/, parent, { ...now, boot: undefined }],
  'a clock that was set': [/clock was set/, parent, { ...now, boot: { boot: 'b', seconds: 1_780_000_002 } }],
  'a clock that went back': [/clock went back/, parent, { ...now, startedNs: startedNs - 1n }],
  'nine backups that took files over': [
    /time/,
    { ...parent, reading: reading && { ...reading, sinceAllRead: 9 } },
    now,
  ],
};

for (const [what, [why, before, stands]] of Object.entries(changes))
  test(`after ${what} every file is read`, () => {
    assert.match(whyReadAll(before, stands) ?? '', why);
  });

function statWith(changed: Partial<BigIntStats>): BigIntStats {
  return Object.assign(statSync('/', { bigint: true }), { size: 8192n, ino: 5n, dev: 6n }, times, changed);
}

const mtimeNs = startedNs - 2n * second;
const times = { mtimeNs, ctimeNs: mtimeNs };
const held = { ...times, sizeBytes: 8192, inode: 5n, deviceId: 6n, ids: [], cutBytes: undefined };
const since = { parentStartedNs: startedNs, startedNs: now.startedNs };

test('a file is unchanged with size, times, inode and device alike, if it was written well before the parent began', () => {
  assert.ok(isUnchanged(statWith({}), held, since));
  for (const changed of [
    { size: 8193n },
    { mtimeNs: mtimeNs - 1n },
    { ctimeNs: mtimeNs + 1n },
    { ino: 4n },
    { dev: 7n },
  ])
    assert.ok(!isUnchanged(statWith(changed), held, since), Object.keys(changed).join());
  for (const later of [mtimeNs + 1n, startedNs + 1n, now.startedNs + second])
    assert.ok(!isUnchanged(statWith({ mtimeNs: later }), { ...held, mtimeNs: later }, since));
});

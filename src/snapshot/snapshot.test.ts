import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseBlobId, parseFileId } from '../bytes/ids.ts';
import { hasCode } from '../errors/error.ts';
import { resticOk, withoutRestic } from '../../test/servers/restic.ts';
import { tempDir } from '../../test/support/temp-dir.ts';
import { cheapRepository } from '../../test/support/two-tools.ts';
import { decodeSnapshot, encodeSnapshot, type SnapshotFields } from './snapshot.ts';

const id = parseFileId('cd'.repeat(32));
const minimal: SnapshotFields = {
  time: '2026-11-20T14:00:00.5+02:00',
  tree: parseBlobId('ab'.repeat(32)),
  paths: ['/a'],
  hostname: '',
  username: '',
  uid: 0,
  gid: 0,
  excludes: [],
  tags: [],
  programVersion: '',
  others: {},
};

function json(snapshot: SnapshotFields): string {
  return Buffer.from(encodeSnapshot(snapshot)).toString('utf8');
}

test('a snapshot that restic wrote comes out byte for byte', { skip: withoutRestic('0.19.1') }, async () => {
  await using dir = await tempDir();
  const at = { repository: dir.file('repository'), password: 'secret' };
  writeFileSync(dir.file('a<b'), 'x');
  await cheapRepository(at.repository);
  for (const run of [1, 2]) {
    const flags = ['--tag', 'a&b,c', '--exclude', 'é*', '--host', `host${run}`, '--group-by', ''];
    await resticOk('0.19.1', at, ['backup', ...flags, dir.file('a<b')], { env: { TZ: 'Asia/Kathmandu' } });
  }
  const listed = await resticOk('0.19.1', at, ['snapshots', '--json']);
  const names = Array.from(listed.matchAll(/"id":"(?<name>\w+)"/g), ({ groups }) => groups?.['name'] ?? '');
  assert.equal(names.length, 2);
  for (const name of names) {
    const shown = await resticOk('0.19.1', at, ['cat', 'snapshot', name]);
    const compact = shown.trim().replaceAll(/\n\s*/g, '').replaceAll('": ', '":');
    const snapshot = decodeSnapshot(parseFileId(name), Buffer.from(compact));
    assert.equal(json(snapshot), compact);
    assert.equal(snapshot.summary?.filesNew, snapshot.parent === undefined ? 1 : 0);
    assert.deepEqual(snapshot.tags, ['a&b', 'c']);
  }
});

test('empty fields are left out, but not time, tree and paths', () => {
  assert.equal(json(minimal), `{"time":"2026-11-20T14:00:00.5+02:00","tree":"${minimal.tree}","paths":["/a"]}`);
});

test('members that only other programs know are kept', () => {
  const stored = `{"time":"2026-11-20T14:00:00Z","tree":"${minimal.tree}","paths":null,"label":"x<","delete":{"After":"2027-01-01T00:00:00Z"},"summary":{"files_new":3,"command":"rustic"}}`;
  const snapshot = decodeSnapshot(id, Buffer.from(stored));
  assert.deepEqual(snapshot.others, { label: 'x<', delete: { After: '2027-01-01T00:00:00Z' } });
  assert.deepEqual(decodeSnapshot(id, encodeSnapshot(snapshot)), snapshot);
  assert.match(json(snapshot), /"label":"x\\u003c","delete":\{"After"/);
  assert.match(json(snapshot), /"files_new":3.*"command":"rustic"/);
});

test('the time keeps its own offset', () => {
  const snapshot = decodeSnapshot(id, encodeSnapshot(minimal));
  assert.equal(snapshot.time, minimal.time);
  assert.equal(snapshot.timeNs, Temporal.Instant.from('2026-11-20T12:00:00.5Z').epochNanoseconds);
});

const wrong = [
  '',
  '[]',
  '{}',
  '{"time":"x"}',
  '{"time":"2026-11-20T14:00:00Z","tree":"ab"}',
  '{"time":"2026-11-20T14:00:00Z","tree":null}',
];
for (const stored of wrong) {
  test(`${stored === '' ? 'nothing' : stored} is refused as a snapshot`, () => {
    assert.throws(
      () => decodeSnapshot(id, Buffer.from(stored)),
      (error) => hasCode(error, 'damaged'),
    );
  });
}

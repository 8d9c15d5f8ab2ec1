import assert from 'node:assert/strict';
import { chmod, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { controlOf } from '../../../../test/support/control-file.ts';
import { tempDir, type TempDir } from '../../../../test/support/temp-dir.ts';
import { writeWal } from '../../../../test/support/wal-writer.ts';
import type { Seat } from '../../in-place.ts';
import { lookAtSeat } from './seat.ts';

const own = '7300000000000000001';
const { signal } = new AbortController();

const control = (systemIdentifier: string): Buffer =>
  controlOf({ systemIdentifier: BigInt(systemIdentifier), timeline: 1, version: 1300 });

/** What a backup says, and programs of its major. */
async function backupOf(dir: TempDir, said: object = {}): Promise<() => Promise<Seat>> {
  const description = {
    ...{ format: 1, version: '15.1', major: 15, systemIdentifier: own, timeline: 1, startLsn: '0/2', endLsn: '0/3' },
    ...{ walSegmentBytes: 2 ** 24, dataDirectory: dir.file('data'), dataChecksums: 'off', tablespaces: [] },
    ...{ configuration: [], database: 'postgres', superuser: 'postgres', capacities: {}, ...said },
  };
  for (const folder of ['shop-db', 'data/global', 'bin']) await mkdir(dir.file(folder), { recursive: true });
  await writeFile(dir.file('shop-db/postgres.json'), JSON.stringify(description));
  for (const name of ['postgres', 'pg_ctl']) {
    await writeFile(dir.file('bin', name), '#!/bin/sh\necho "postgres (PostgreSQL) 15.1"\n');
    await chmod(dir.file('bin', name), 0o755);
  }
  const given = {
    component: 'shop-db',
    folder: dir.path,
    programs: [dir.file('bin')],
    signal,
    isHalfOver: () => false,
  };
  return async () => await lookAtSeat(given);
}

test('what stands where a cluster stood is that cluster, or nothing: another one, and a standby, are refused', async () => {
  await using dir = await tempDir();
  const look = await backupOf(dir);
  await writeFile(dir.file('data/global/pg_control'), control(own));
  const { place, epoch } = await look();
  assert.deepEqual([place, epoch], [dir.file('data'), 1]);
  await writeFile(dir.file('data/global/pg_control'), control('7300000000000000002'));
  await assert.rejects(look(), { code: 'refused', message: /holds another cluster, 7300000000000000002/ });
  await writeFile(dir.file('data/standby.signal'), '');
  await assert.rejects(look(), { code: 'refused', message: /holds a standby/ });
  await rm(dir.file('data'), { recursive: true });
  assert.deepEqual((await look()).epoch, undefined);
});

test('a cluster that is gone comes to where the folder above it leads', async () => {
  await using dir = await tempDir();
  await mkdir(dir.file('disk'));
  await symlink(dir.file('disk'), dir.file('pgsql'));
  const look = await backupOf(dir, { dataDirectory: dir.file('pgsql/data') });
  assert.equal((await look()).place, dir.file('disk/data'));
  await mkdir(dir.file('disk/data'));
  assert.equal((await look()).place, dir.file('disk/data'));
});

/** What the log of a cluster begins with. */
async function logOf(dir: TempDir, systemIdentifier: string): Promise<void> {
  const records = [{ manager: 10, info: 0, xid: 700, data: Buffer.alloc(100) }];
  const wal = { major: 15, timeline: 1, segmentBytes: 2 ** 20, start: 2n ** 20n, records } as const;
  const { segments } = writeWal({ ...wal, systemIdentifier: BigInt(systemIdentifier) });
  await mkdir(dir.file('data/pg_wal'), { recursive: true });
  await writeFile(dir.file('data/pg_wal/000000010000000000000001'), segments[0] ?? assert.fail());
}

test('a pg_control that tells nothing any more keeps nobody from a restore, and is told; its log may say that it is another’s', async () => {
  await using dir = await tempDir();
  const look = await backupOf(dir);
  const path = dir.file('data/global/pg_control');
  assert.deepEqual((await look()).doubts, [], 'nothing stands there');
  for (const bytes of [Buffer.alloc(8192), Buffer.alloc(0), control(own).fill(1, 100, 104)]) {
    await writeFile(path, bytes);
    const { epoch, doubts } = await look();
    assert.equal(epoch, undefined);
    assert.match(doubts.join('; '), /^[^;]*global\/pg_control can’t be read, or is damaged[^;]*$/);
  }
  await rm(path);
  await mkdir(path); // as a bad sector: it is there, and reading it fails
  assert.equal((await look()).doubts.length, 1);
  await logOf(dir, own);
  assert.equal((await look()).doubts.length, 1);
  await logOf(dir, '7300000000000000002');
  await assert.rejects(look(), { code: 'refused', message: /another cluster, 73.*2, not 73.*1/, next: /Move it away/ });
});

test('a cluster of a version that is not known is refused, and so is one that recovers, each with its way out', async () => {
  await using dir = await tempDir();
  const look = await backupOf(dir);
  const later = controlOf({ systemIdentifier: BigInt(own), timeline: 1, version: 1900 });
  await writeFile(dir.file('data/global/pg_control'), later);
  await assert.rejects(look(), { code: 'refused', message: /version 1900/, next: /Move it away/ });
  await writeFile(dir.file('data/recovery.signal'), '');
  await assert.rejects(look(), { code: 'refused', message: /recovery\.signal/, next: /move .*data away.* remove it/ });
});

test('what holds nothing of a cluster is somebody’s own, whatever the backup says: nothing comes in its place', async () => {
  await using dir = await tempDir();
  const look = await backupOf(dir);
  await rm(dir.file('data'), { recursive: true });
  for (const name of ['ann/.ssh', 'ben']) await mkdir(dir.file('data', name), { recursive: true });
  const refused = { code: 'refused', message: /data holds ann, ben, and nothing of a cluster/ };
  await assert.rejects(look(), refused);
  await mkdir(dir.file('data/pgsql_tmp.holdfast-0123456789ab-0'));
  await assert.rejects(look(), refused);
  for (const own of ['PG_VERSION', 'postgresql.conf']) {
    await writeFile(dir.file('data', own), '');
    assert.equal((await look()).place, dir.file('data'), own);
    await rm(dir.file('data', own));
  }
  for (const name of ['ann', 'ben']) await rm(dir.file('data', name), { recursive: true });
  await mkdir(dir.file('data/lost+found'));
  assert.equal((await look()).place, dir.file('data'), 'a new disk');
  await rm(dir.file('data'), { recursive: true });
  await writeFile(dir.file('data'), 'precious');
  await assert.rejects(look(), { code: 'refused', message: /holds a file/ });
});

test('a tablespace comes to where it stood, whose folder has to be there', async () => {
  await using dir = await tempDir();
  const look = await backupOf(dir, { tablespaces: [{ oid: '16400', location: dir.file('far') }] });
  await assert.rejects(look(), { code: 'refused', message: /the tablespace 16400 stood in/ });
  await mkdir(dir.file('far/PG_15_202209061'), { recursive: true });
  await assert.rejects(look(), { code: 'refused', message: /is a tablespace that .* doesn’t link to/ });
  await mkdir(dir.file('data/pg_tblspc'));
  await symlink(dir.file('elsewhere'), dir.file('data/pg_tblspc/16399'));
  await symlink(dir.file('far'), dir.file('data/pg_tblspc/16400'));
  assert.deepEqual((await look()).others, [{ from: '16400', location: dir.file('far'), name: 'PG_15_202209061' }]);
  await rm(dir.file('far/PG_15_202209061'), { recursive: true });
  assert.deepEqual((await look()).others, [{ from: '16400', location: dir.file('far'), name: 'PG_15_202209061' }]);
});

test('a backup that does not say where the data directory stood can’t be put there', async () => {
  await using dir = await tempDir();
  const look = await backupOf(dir, { dataDirectory: null });
  await assert.rejects(look(), { code: 'unsupported', message: /doesn’t say where/ });
});

test('a tablespace that a backup names by no number, or in no whole path, is damaged', async () => {
  await using dir = await tempDir();
  for (const tablespace of [
    { oid: '../global', location: dir.file('far') },
    { oid: '16400', location: 'far' },
  ]) {
    const look = await backupOf(dir, { tablespaces: [tablespace] });
    await assert.rejects(look(), { code: 'damaged' });
  }
});

import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { tempDir } from '../../../../test/support/temp-dir.ts';
import { rawPathOf } from '../../../bytes/ids.ts';
import { list, tablespacesOf } from './listing.ts';

const kept = [
  'PG_VERSION',
  'postgresql.auto.conf',
  'base/5/16384',
  'base/5/16384.1',
  'base/5/16384_fsm',
  'base/5/16400_init',
  'base/5/16401',
  'base/5/pg_filenode.map',
  'global/1262',
  'log/server.log',
  'pg_xact/0000',
];

/** What the server leaves out too, and what would have a copy follow production. */
const away = [
  'global/pg_control',
  'base/5/16400',
  'base/5/16400.2',
  'base/5/16400_fsm',
  'base/5/t3_16500',
  'base/5/t3_16500_vm',
  'base/5/pg_internal.init',
  'base/5/pg_internal.init.4711',
  'base/pgsql_tmp/pgsql_tmp1.0',
  'pgsql_tmp.holdfast-0123456789ab-0/kept/base/5/16401', // what a restore in place keeps on a mount point
  'pg_wal/000000010000000000000001',
  'pg_wal/archive_status/000000010000000000000001.ready',
  'pg_replslot/mine/state',
  'pg_stat_tmp/global.stat',
  'pg_subtrans/0000',
  'pg_notify/0000',
  'pg_serial/0000',
  'pg_snapshots/1',
  'pg_dynshmem/1',
  'backup_label',
  'backup_label.old',
  'tablespace_map',
  'backup_manifest',
  'postmaster.pid',
  'postmaster.opts',
  'postgresql.auto.conf.tmp',
  'current_logfiles.tmp',
  'standby.signal',
  'recovery.signal',
];

test('of a data directory what belongs into a base backup is listed, tablespaces as folders, links told', async () => {
  await using dir = await tempDir();
  const elsewhere = ['PG_15_202209061/5/16600', 'PG_15_202209061/5/t1_16601'];
  const ofOthers = ['PG_14_202107181/5/1', 'notes.txt'];
  for (const path of [
    ...[...kept, ...away].map((each) => `data/${each}`),
    ...[...elsewhere, ...ofOthers].map((each) => `far/${each}`),
  ]) {
    mkdirSync(dirname(dir.file(path)), { recursive: true });
    writeFileSync(dir.file(path), 'x');
  }
  mkdirSync(dir.file('data/pg_tblspc'));
  symlinkSync(dir.file('far'), dir.file('data/pg_tblspc/16390'));
  symlinkSync('/etc/hosts', dir.file('data/server.crt'));
  const root = rawPathOf(dir.file('data'));
  const tablespaces = tablespacesOf(root);
  assert.deepEqual(tablespaces, [{ oid: '16390', location: dir.file('far'), sizeBytes: 0 }]);
  const told: string[] = [];
  const listed = [...list({ root, major: 15, tablespaces, leftOut: (path) => told.push(path) })];
  const files = listed.filter(({ type }) => type === 'file').map(({ path }) => path);
  assert.deepEqual(files.toSorted(), [...kept, 'pg_tblspc/16390/PG_15_202209061/5/16600'].toSorted());
  const folders = listed.filter(({ type }) => type === 'dir').map(({ path }) => String(path));
  for (const path of ['pg_wal', 'pg_replslot', 'pg_stat_tmp', 'pg_tblspc', 'pg_tblspc/16390', 'base/5'])
    assert.ok(folders.includes(path), path);
  assert.deepEqual(told, ['server.crt']);
  assert.equal(new Set(folders).size, folders.length);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accusesCopy, speaksOfSurroundings } from './surroundings.ts';

/** As servers say it. */
const ofHost = [
  'ERROR:  could not access file "$libdir/postgis-3": No such file or directory',
  'ERROR:  could not load library "/usr/lib/postgresql/15/lib/vector.so": libstdc++.so.6: version not found',
  'FATAL:  database locale is incompatible with operating system',
  'FATAL:  could not map anonymous shared memory: Cannot allocate memory',
  'FATAL:  could not write to file "pg_wal/xlogtemp.14": No space left on device',
  'FATAL:  could not write to file "pg_wal/xlogtemp.160": File too large',
  'FATAL:  could not extend file "base/5/1259": Disk quota exceeded',
  'FATAL:  database files are incompatible with server',
  'FATAL:  could not create directory "/srv/elsewhere/PG_17_202406281": Read-only file system',
  'FATAL:  data directory "/run/holdfast/data" has group or world access',
];

const ofCopy = [
  'PANIC:  could not locate a valid checkpoint record',
  'FATAL:  WAL ends before end of online backup',
  'FATAL:  could not open file "global/1262": No such file or directory',
  'PANIC:  incorrect checksum in control file',
  'ERROR:  invalid page in block 3 of relation base/5/16384',
  'FATAL:  could not find redo location referenced by checkpoint record',
];

test('what a host lacks never accuses a copy, and what a copy lacks does', () => {
  for (const said of ofHost) assert.equal(speaksOfSurroundings(said), true, said);
  for (const said of ofCopy) assert.equal(speaksOfSurroundings(said), false, said);
});

test('a query accuses a copy by what it says of the data, not of resources, rights or grammar', () => {
  for (const state of ['42P01', 'XX001', '58P01', '22012']) assert.equal(accusesCopy(state, 'it said no'), true, state);
  for (const state of ['42601', '53200', '57014', '08006', '28000', '0A000', '55P03'])
    assert.equal(accusesCopy(state, 'it said no'), false, state);
  assert.equal(accusesCopy('58P01', 'could not access file "$libdir/postgis-3"'), false);
});

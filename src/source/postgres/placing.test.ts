import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rawPathOf } from '../../bytes/ids.ts';
import { cutOf, isLeftOut, neededFolders } from './placing.ts';

test('what would make a copy behave as production does is left out, and nothing else', () => {
  const out = ['standby.signal', 'recovery.signal', 'tablespace_map', 'backup_label.old'];
  const marks = ['pg_wal/archive_status/000000010000000000000001.done', 'pg_wal/summaries/x.summary'];
  for (const path of [...out, ...marks]) assert.equal(isLeftOut(rawPathOf(path)), true, path);
  const kept = ['backup_label', 'base/1/standby.signal', 'pg_wal/000000010000000000000001', 'pg_wal/00000002.history'];
  for (const path of kept) assert.equal(isLeftOut(rawPathOf(path)), false, path);
  assert.equal(neededFolders(16).includes(rawPathOf('pg_wal/summaries')), false);
  assert.equal(neededFolders(17).includes(rawPathOf('pg_wal/summaries')), true);
});

const tib = 2 ** 40;

test('relations are cut at pages, in chunks whose number stays within a bound; all else by content', () => {
  const relations = [
    'base/5/16384',
    'base/5/16384.1',
    'base/5/16384_vm',
    'global/1262',
    'pg_tblspc/16385/PG_15_202209061/5/2619_fsm.3',
  ];
  for (const path of relations) assert.deepEqual(cutOf(rawPathOf(path), 2 ** 30), { pagesBytes: 65_536 }, path);
  for (const path of ['base/5/PG_VERSION', 'global/pg_control', 'pg_wal/000000010000000000000001', 'backup_label'])
    assert.equal(cutOf(rawPathOf(path), 2 ** 30), 'rabin', path);
  assert.deepEqual(cutOf(rawPathOf('base/5/1'), tib), { pagesBytes: 524_288 });
  assert.deepEqual(cutOf(rawPathOf('base/5/1'), 100 * 2 ** 30), { pagesBytes: 131_072 });
});

test('a relation keeps the size of its chunks, unless that was none of ours', () => {
  for (const pagesBytes of [65_536, 131_072, 524_288])
    assert.deepEqual(cutOf(rawPathOf('base/5/1'), tib / 4, pagesBytes), { pagesBytes });
  for (const before of [8192, 100_000, 2 ** 20])
    assert.deepEqual(cutOf(rawPathOf('base/5/1'), tib, before), { pagesBytes: 524_288 });
  assert.equal(cutOf(rawPathOf('PG_VERSION'), tib, 65_536), 'rabin');
});

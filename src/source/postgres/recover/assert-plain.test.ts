import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { test } from 'node:test';
import { runOk } from '../../../../test/support/run-program.ts';
import { tempDir, type TempDir } from '../../../../test/support/temp-dir.ts';
import { assertPlain, type Cluster } from './assert-plain.ts';

function clusterIn(dir: TempDir): void {
  for (const folder of ['base/5', 'global', 'pg_wal/archive_status', 'pg_tblspc', 'pg_stat_tmp', 'conf.d'])
    fs.mkdirSync(dir.file('data', folder), { recursive: true });
  for (const file of ['PG_VERSION', 'base/5/1', 'global/pg_control']) fs.writeFileSync(dir.file('data', file), '');
  fs.mkdirSync(dir.file('far/PG_15_202209061/5'), { recursive: true });
  for (const name of ['lost+found', '.snapshot']) fs.mkdirSync(dir.file('far', name));
  fs.symlinkSync('/nowhere', dir.file('far/.snapshot/link'));
  fs.symlinkSync(dir.file('far'), dir.file('data/pg_tblspc/16400'));
  fs.symlinkSync('/etc/ssl/server.crt', dir.file('data/server.crt'));
}

const at = (dir: TempDir, where: Cluster['where']): Cluster => ({ data: dir.file('data'), where, major: 15 });

test('tablespaces elsewhere, links among the settings, and of what is restored over a log on a disk of its own are no damage', async () => {
  await using dir = await tempDir();
  clusterIn(dir);
  await assertPlain(at(dir, 'a copy'));
  fs.renameSync(dir.file('data/pg_wal'), dir.file('log'));
  fs.mkdirSync(dir.file('log/lost+found'));
  fs.symlinkSync(dir.file('log'), dir.file('data/pg_wal'));
  await assertPlain(at(dir, 'its place'));
  await assert.rejects(assertPlain(at(dir, 'a copy')), { code: 'damaged', message: /data\/pg_wal is a link/ });
});

test('what stands beside a tablespace’s own folder is somebody else’s, be it links, pipes or a cluster of another major; a link in place of the folder is damage', async () => {
  await using dir = await tempDir();
  clusterIn(dir);
  for (const folder of ['far/PG_14_202107181/5', 'far/theirs', 'far/PG_15_202209061/lost+found'])
    fs.mkdirSync(dir.file(folder), { recursive: true });
  for (const link of ['far/link', 'far/theirs/link', 'far/PG_14_202107181/5/1', 'far/PG_15_202209061/lost+found/#1'])
    fs.symlinkSync('/nowhere', dir.file(link));
  await runOk('mkfifo', [dir.file('far/pipe')]);
  for (const where of ['a copy', 'its place'] as const) await assertPlain(at(dir, where));
  fs.symlinkSync(dir.file('far/theirs'), dir.file('far/PG_15_202209062'));
  await assert.rejects(assertPlain(at(dir, 'its place')), {
    code: 'damaged',
    message: /far\/PG_15_202209062 is a link/,
  });
});

test('a link or a pipe among the parts of a cluster is damage, however deep: a server would write where it leads', async () => {
  const strange = [
    'base',
    'base/5',
    'base/5/2',
    'global/pg_control',
    'pg_wal/archive_status',
    'pg_tblspc/16400/PG_15_202209061/5/1',
  ];
  for (const name of strange) {
    await using dir = await tempDir();
    clusterIn(dir);
    fs.mkdirSync(dir.file('production'));
    fs.rmSync(dir.file('data', name), { recursive: true, force: true });
    fs.symlinkSync(dir.file('production'), dir.file('data', name));
    for (const where of ['a copy', 'its place'] as const)
      await assert.rejects(assertPlain(at(dir, where)), { code: 'damaged' }, name);
  }
  await using dir = await tempDir();
  clusterIn(dir);
  await runOk('mkfifo', [dir.file('data/base/5/3')]);
  await assert.rejects(assertPlain(at(dir, 'a copy')), {
    code: 'damaged',
    message: /base\/5\/3 is a link, or/,
  });
});

import assert from 'node:assert/strict';
import { chownSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { test } from 'node:test';
import { absent } from '../../../../test/absences.ts';
import { tempDir, type TempDir } from '../../../../test/support/temp-dir.ts';
import { adopt } from './adopt.ts';
import { extentOver } from './over.ts';

const ofCluster = ['base', 'global', 'pg_wal', 'pg_xact', 'pg_replslot', 'pg_stat_tmp'];
const filesOfCluster = ['PG_VERSION', 'postmaster.opts', 'backup_label.old', 'backup_manifest', 'recovery.signal'];
const own = ['pg_dumpall.sql', 'pg_server.key', 'pg_hba.conf', 'backup_label.txt', 'core.sql', 'my.signal', '.psqlrc'];
const words = ['logfile', 'core.4711'];

function clusterIn(data: string, files: readonly string[]): string {
  for (const name of ofCluster) mkdirSync(join(data, name), { recursive: true });
  for (const name of files) writeFileSync(join(data, name), name);
  return data;
}

test('what is called much like a part of the cluster is somebody’s own: a restore over it leaves all of that', async () => {
  await using dir = await tempDir();
  const data = clusterIn(dir.file('data'), [...filesOfCluster, ...own, ...words]);
  mkdirSync(join(data, 'pg_log'));
  const { keeps } = await extentOver({ place: data, others: [] });
  assert.deepEqual(keeps.toSorted(), [...own, ...words, 'pg_log'].toSorted());
});

test('what takes the place of a cluster gets its settings, keys and files, and none of its parts or logs', async () => {
  await using dir = await tempDir();
  const place = clusterIn(dir.file('place'), [...filesOfCluster, ...own, ...words]);
  const data = clusterIn(dir.file('folder/data'), ['PG_VERSION', 'pg_server.key']);
  writeFileSync(join(data, 'pg_server.key'), 'of the backup');
  if (process.getuid?.() === 0) chownSync(data, 65534, 65534);
  await adopt(dir.file('folder'), { place, others: [] }, new AbortController().signal);
  assert.deepEqual(readdirSync(data).toSorted(), [...ofCluster, 'PG_VERSION', ...own].toSorted());
  assert.equal(readFileSync(join(data, 'pg_server.key'), 'utf8'), 'pg_server.key');
});

/** A `cp` before which the server's user puts links to `elsewhere` in its way, as one that is quick enough does. */
function swiftLinks(dir: TempDir, elsewhere: string): Disposable {
  const { PATH: before = '' } = process.env;
  mkdirSync(dir.file('bin'));
  const script = `#!/bin/sh\nfor to in "$@"; do :; done\nln -s '${elsewhere}'/"\${to##*/}" "$to"\nPATH='${before}' exec cp "$@"\n`;
  writeFileSync(dir.file('bin/cp'), script, { mode: 0o755 });
  process.env['PATH'] = `${dir.file('bin')}${delimiter}${before}`;
  return { [Symbol.dispose]: () => void (process.env['PATH'] = before) };
}

test(
  'a link that comes in the way of a setting while it is copied is not written through',
  { skip: process.platform === 'linux' ? false : absent('root') },
  async () => {
    await using dir = await tempDir();
    const place = clusterIn(dir.file('place'), ['PG_VERSION', 'pg_hba.conf']);
    const data = clusterIn(dir.file('folder/data'), ['PG_VERSION']);
    mkdirSync(dir.file('elsewhere'));
    writeFileSync(dir.file('elsewhere/pg_hba.conf'), 'of another cluster');
    if (process.getuid?.() === 0) chownSync(data, 65534, 65534);
    using _links = swiftLinks(dir, dir.file('elsewhere'));
    await adopt(dir.file('folder'), { place, others: [] }, new AbortController().signal);
    assert.equal(readFileSync(dir.file('elsewhere/pg_hba.conf'), 'utf8'), 'of another cluster');
    assert.equal(readFileSync(join(data, 'pg_hba.conf'), 'utf8'), 'pg_hba.conf');
  },
);

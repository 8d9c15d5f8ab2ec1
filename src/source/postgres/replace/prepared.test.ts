import assert from 'node:assert/strict';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { tempDir } from '../../../../test/support/temp-dir.ts';
import { isWholeCluster, notThrough } from './prepared.ts';

test('a cluster is whole with pg_control in it, and without the setting of one that is being restored over', async () => {
  await using dir = await tempDir();
  const [conf, ours] = [dir.file('postgresql.auto.conf'), `hba_file = '/srv/.holdfast/${notThrough}'\n`];
  await mkdir(dir.file('global'));
  await writeFile(conf, '');
  assert.equal(isWholeCluster(dir.path), false);
  await writeFile(dir.file('global/pg_control'), '');
  assert.equal(isWholeCluster(dir.path), true);
  await writeFile(conf, `work_mem = '8MB'\n${ours}`);
  assert.equal(isWholeCluster(dir.path), false, 'a replay that was killed');
  await writeFile(conf, `# ${ours}`);
  assert.equal(isWholeCluster(dir.path), true);
  await rm(conf);
  assert.equal(isWholeCluster(dir.path), true);
});

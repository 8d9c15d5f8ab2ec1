import assert from 'node:assert/strict';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { tempDir } from '../../../../test/support/temp-dir.ts';
import { extentOver } from './over.ts';

test('a tablespace that the cluster doesn’t link to any more is not restored over', async () => {
  await using dir = await tempDir();
  for (const folder of ['data/pg_tblspc', 'far/PG_15_202209061']) await mkdir(dir.file(folder), { recursive: true });
  await writeFile(dir.file('data/PG_VERSION'), '15\n');
  const others = [{ from: '16400', location: dir.file('far'), name: 'PG_15_202209061' }];
  const extent = async (): Promise<unknown> => await extentOver({ place: dir.file('data'), others });
  await assert.rejects(extent(), { code: 'refused', message: /is a tablespace that .* doesn’t link to/ });
  await symlink(dir.file('far'), dir.file('data/pg_tblspc/16400'));
  assert.deepEqual(await extent(), { parts: [{ from: '', to: dir.file('data') }], keeps: [] });
});

import assert from 'node:assert/strict';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { tempDir } from '../../../test/support/temp-dir.ts';
import { installationOf } from './find-programs.ts';

test('an installation is where programs really are, with libraries and data beside a bin, and nothing wider', async () => {
  await using dir = await tempDir();
  for (const folder of ['15/bin', '15/lib', '15/share', '15/data', 'linked', 'lib'])
    await mkdir(dir.file(folder), { recursive: true });
  await writeFile(dir.file('15/bin/postgres'), '');
  await writeFile(dir.file('15/data/postgres'), '');
  await symlink('../15/bin/postgres', dir.file('linked/postgres'));
  const whole = ['15/bin', '15/lib', '15/share'].map((name) => dir.file(name));
  assert.deepEqual(await installationOf(dir.file('15/bin')), whole);
  assert.deepEqual(await installationOf(dir.file('linked')), [dir.file('linked'), ...whole]);
  assert.deepEqual(await installationOf(dir.file('15/data')), [dir.file('15/data')]);
});

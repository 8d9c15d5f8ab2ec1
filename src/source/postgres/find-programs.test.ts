import assert from 'node:assert/strict';
import { mkdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { tempDir } from '../../../test/support/temp-dir.ts';
import { findPrograms, installationOf } from './find-programs.ts';

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

test('a program is asked for its major once a process, and again once another stands in its place', async () => {
  await using dir = await tempDir();
  const putProgram = async (major: number): Promise<void> => {
    const script = `#!/bin/sh\necho asked >> ${dir.file('asked')}\necho "postgres (PostgreSQL) ${major}.1"\n`;
    await writeFile(dir.file('draft'), script, { mode: 0o755 });
    await rename(dir.file('draft'), dir.file('postgres'));
  };
  await writeFile(dir.file('pg_ctl'), '', { mode: 0o755 });
  const { signal } = new AbortController();
  const find = async (major: number): Promise<string | undefined> => await findPrograms(major, [dir.path], signal);
  await putProgram(17);
  assert.deepEqual([await find(17), await find(17)], [dir.path, dir.path]);
  await putProgram(16);
  assert.deepEqual([await find(16), await find(16)], [dir.path, dir.path]);
  assert.equal(await readFile(dir.file('asked'), 'utf8'), 'asked\n'.repeat(2));
});

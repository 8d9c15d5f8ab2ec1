import assert from 'node:assert/strict';
import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { tempDir } from '../../../../test/support/temp-dir.ts';
import { livingAbove } from './living-above.ts';

test('a folder is known to lie within a data directory, through links and before it is made', async () => {
  await using dir = await tempDir();
  mkdirSync(dir.file('data/global'), { recursive: true });
  for (const name of ['PG_VERSION', 'global/pg_control']) writeFileSync(dir.file('data', name), '');
  mkdirSync(dir.file('data/base'));
  symlinkSync(dir.file('data/base'), dir.file('link'));
  const data = realpathSync(dir.file('data'));
  for (const within of ['data', 'data/base', 'data/not/there', 'link/restored'])
    assert.equal(livingAbove(dir.file(within)), data, within);
  for (const beside of ['.', 'elsewhere', 'data-2/x']) assert.equal(livingAbove(dir.file(beside)), undefined, beside);
});

import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { tempDir } from '../../test/support/temp-dir.ts';
import { policyWatch } from './policy-watch.ts';

test('a policy has changed once its file holds something else, not by being written again, nor while it is out of reach', async () => {
  await using dir = await tempDir();
  const file = dir.file('holdfast.yaml');
  await writeFile(file, 'version: 1');
  const isStillThere = await policyWatch(file);
  assert.equal(await isStillThere(), true);
  await writeFile(file, 'version: 1');
  assert.equal(await isStillThere(), true, 'written again');
  await rm(file);
  assert.equal(await isStillThere(), true, 'out of reach');
  await writeFile(file, 'version: 1\n# to be reviewed');
  assert.equal(await isStillThere(), false);
  await writeFile(file, 'version: 1');
  assert.equal(await isStillThere(), true);
});

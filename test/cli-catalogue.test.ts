import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { policyScene } from './support/policy-scene.ts';

test('a damaged catalogue is made anew, and one that was tampered with has no say in --verify', async () => {
  await using at = await policyScene();
  await at.ok('backup', 'uploads');
  const shown = await at.ok('records', '--csv');
  const found = await readdir(at.dir.path, { recursive: true, withFileTypes: true });
  const catalogues = found
    .filter(({ name }) => name === 'records.sqlite')
    .map((one) => `${one.parentPath}/${one.name}`);
  assert.equal(catalogues.length, 2);
  for (const file of catalogues) await writeFile(file, 'not what it was\n'.repeat(500));
  assert.equal(await at.ok('records', '--csv'), shown);
  for (const file of catalogues) {
    const database = new DatabaseSync(file);
    database.exec(`UPDATE record SET facts = replace(facts, 'done', 'failed'); UPDATE chain SET hash = ''`);
    database.close();
  }
  assert.match(await at.ok('records'), /failed/);
  assert.match(await at.ok('records', '--verify'), /✔ uploads by .* in near: \d records?, intact/);
  assert.equal(await at.ok('records', '--csv', '--no-cache'), shown);
});

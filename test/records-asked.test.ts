import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { policyScene } from './support/policy-scene.ts';

test('records of a component that is nowhere are refused, with the word that was meant; one that is gone stays askable', async () => {
  await using at = await policyScene();
  await at.ok('backup', '--all');
  for (const more of [[], ['--json'], ['--csv'], ['--verify']]) {
    const { code, stderr } = await at.run(['records', '--component', 'uplaods', ...more]);
    assert.equal(code, 2, more.join());
    assert.match(stderr, /nothing is recorded of .*uplaods.*; did you mean uploads\?/);
  }
  const file = at.dir.file('holdfast.yaml');
  await writeFile(file, (await readFile(file, 'utf8')).replace('  uploads:', '  renamed:'));
  assert.match(await at.ok('records', '--component', 'uploads'), /uploads +run/);
  assert.match(await at.ok('records', '--component', 'renamed'), /0 records/);
  const removed = await at.run(['records', '--component', 'uploads', '--verify']);
  assert.match(removed.stdout.toString(), /uploads by .*records/);
});

test('--since takes days by name, in the zone of the policy, and says what it took', async () => {
  await using at = await policyScene('timezone: Asia/Kolkata\n');
  await at.ok('backup', '--all');
  assert.match(await at.ok('records', '--since', 'yesterday'), /^since \S+T00:00:00\+05:30[^]*uploads +run/);
  assert.match(await at.ok('records', '--since', 'today 00:00'), /^since \S+T00:00:00\+05:30/);
  assert.match(await at.ok('records', '--since', '2100-01-01'), /0 records/);
  const { code, stderr } = await at.run(['records', '--since', 'tomorrow']);
  assert.equal(code, 2);
  assert.match(stderr, /--since: .*tomorrow.* is no time such as .*yesterday/);
});

test('prune by a policy of several repositories says how all are named', async () => {
  await using at = await policyScene();
  const { code, stderr } = await at.run(['prune']);
  assert.equal(code, 2);
  assert.match(stderr, /which repository\? There are near, far\n.*Say `--all`, `--repository near`/);
  assert.doesNotMatch((await at.run(['unlock'])).stderr, /--all/);
});

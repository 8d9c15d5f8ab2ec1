import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { test } from 'node:test';
import { policyScene } from './support/policy-scene.ts';
import { jsonLines } from './support/scene.ts';

test('forget as JSON says before each rule in which repository it is', async () => {
  await using at = await policyScene();
  await at.ok('backup', '--all');
  const lines = jsonLines(await at.ok('forget', '--all', '--dry-run', '--json'));
  const rule = { message_type: 'rule', component: 'uploads', rule: 'hourly', action: 'forget' };
  assert.deepEqual(
    lines.filter((one) => one['message_type'] === 'rule'),
    [
      { ...rule, from: 'near' },
      { ...rule, from: 'far' },
    ],
  );
});

test('a forget that reaches no repository failed; one that reaches some is done in part', async () => {
  await using at = await policyScene();
  await at.ok('backup', '--all');
  await rm(at.dir.file('near'), { recursive: true });
  assert.equal((await at.run(['forget', '--all'])).code, 3);
  await rm(at.dir.file('far'), { recursive: true });
  const { code, stderr } = await at.run(['forget', '--all']);
  assert.equal(code, 1);
  assert.match(stderr, /uploads, rule hourly, far: there is no repository/);
});

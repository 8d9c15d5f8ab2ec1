import assert from 'node:assert/strict';
import { test } from 'node:test';
import { policyScene } from './support/policy-scene.ts';
import { jsonLines } from './support/scene.ts';

test('a backup of components gets tags of one’s own, which its copies have too and the next one has not', async () => {
  await using at = await policyScene();
  await at.ok('backup', '--all', '--tag', 'release-7, before', '--tag', 'cold');
  assert.match(await at.ok('backup', 'uploads'), /using parent snapshot/);
  assert.match(await at.ok('backup', 'uploads', '--tag', 'never before'), /using parent snapshot/);
  const ours = ['hf.component=uploads', 'hf.rule=hourly'];
  for (const repository of ['near', 'far']) {
    const own = ['-r', at.dir.file(repository), '--password-file', at.dir.file('password')];
    const tags = jsonLines(await at.ok(...own, 'snapshots', '--json')).map((one) => one['tags']);
    assert.deepEqual(tags, [[...ours, 'release-7', 'before', 'cold'], ours, [...ours, 'never before']]);
  }
});

test('what the policy says can’t be said otherwise by a flag, nor what Holdfast’s own tags say', async () => {
  await using at = await policyScene();
  for (const [words, wanted] of [
    [['--exclude', 'x'], /--exclude can’t stand beside a policy/],
    [['--force'], /--force can’t stand beside a policy/],
    [['--tag', 'a,hf.rule=daily'], /--tag hf\.rule=daily: tags that begin with hf\. are Holdfast’s own/],
  ] as const) {
    const { code, stderr } = await at.run(['backup', 'uploads', ...words]);
    assert.deepEqual([code, wanted.test(stderr)], [2, true], stderr);
  }
});

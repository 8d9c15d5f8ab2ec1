import assert from 'node:assert/strict';
import { mkdir, rename } from 'node:fs/promises';
import { test } from 'node:test';
import { policyScene } from './support/policy-scene.ts';
import { jsonLines } from './support/scene.ts';

test('a repository that vanished is not taken for one that never was: is its disk mounted?', async () => {
  await using at = await policyScene();
  const never = await at.run(['snapshots', 'uploads']);
  assert.doesNotMatch(never.stderr, /this host knows one/);
  await at.ok('backup', '--all');
  await rename(at.dir.file('far'), at.dir.file('away'));
  const asked = [['snapshots', 'uploads'], ['status'], ['copy', '--all'], ['prune', '--repository', 'far']];
  for (const args of asked)
    assert.match((await at.run(args)).stderr, /far.*this host knows one there, [0-9a-f]{8}, since/s);
  const { code, stderr } = await at.run(['prune', '--repository', 'far']);
  assert.equal(code, 10);
  assert.match(stderr, /^ {2}Is its disk mounted[^]*lost for good/m);
  // A mount point whose disk isn't mounted is an empty folder.
  await mkdir(at.dir.file('far'));
  assert.match((await at.run(['status'])).stderr, /this host knows one there/);
});

test('on a host that never saw it, records in another repository tell of one that vanished', async () => {
  await using at = await policyScene();
  await at.ok('backup', '--all');
  await rename(at.dir.file('far'), at.dir.file('away'));
  const { stderr } = await at.run(['status', '--state-dir', at.dir.file('new-state')]);
  assert.match(stderr, /far: .*there is no repository.*; records tell of it until \S+Z: is its disk mounted\?/);
});

test('init says that what it makes takes the place of one that vanished', async () => {
  await using at = await policyScene();
  await at.ok('backup', '--all');
  await rename(at.dir.file('far'), at.dir.file('away'));
  const [made] = jsonLines(await at.ok('init', '--json')).filter((one) => one['message_type'] === 'initialized');
  assert.equal(made?.['name'], 'far');
  assert.match(String(made?.['instead_of']), /^[0-9a-f]{64}$/);
});

test('without a policy, too, a missing repository makes one think of its disk before init', async () => {
  await using at = await policyScene();
  const places = ['-r', at.dir.file('nowhere'), '--password-file', at.dir.file('password')];
  const { stderr } = await at.run([...places, 'snapshots'], { HOLDFAST_CONFIG: '' });
  assert.match(stderr, /Check the address, and that its disk is mounted\. .*init/);
});

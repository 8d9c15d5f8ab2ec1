import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { policyScene } from './support/policy-scene.ts';
import { jsonLines } from './support/scene.ts';

test('with a wrong password status advises the password, and no backup', async () => {
  await using at = await policyScene();
  await at.ok('backup', '--all');
  await writeFile(at.dir.file('password'), 'another one');
  const { code, stdout } = await at.run(['status']);
  assert.equal(code, 5);
  assert.match(stdout.toString(), /near can’t be asked[^\n]*password does not open[^\n]*: Give the right password/);
  assert.doesNotMatch(stdout.toString(), /holdfast (backup|copy|verify) uploads/);
  const [status] = jsonLines((await at.run(['status', '--json'])).stdout.toString());
  const because = status?.['unknown_because'];
  assert.ok(Array.isArray(because) && because.length === 2);
  assert.match(JSON.stringify(because), /wrong-password/);
  await rm(at.dir.file('password'));
  const unread = (await at.run(['status'])).stdout.toString();
  assert.match(unread, /near can’t be asked/);
  assert.doesNotMatch(unread, /Nothing was changed/, 'a status changes nothing');
});

test('status tells a failure of a rule that was renamed, and is green all the same', async () => {
  await using at = await policyScene();
  const policy = await readFile(at.dir.file('holdfast.yaml'), 'utf8');
  await writeFile(at.dir.file('holdfast.yaml'), policy.replace('hourly', 'nightly').replace('/data]', '/nothing]'));
  assert.equal((await at.run(['backup', '--all'])).code, 1);
  assert.match((await at.run(['status'])).stdout.toString(), /! run of nightly in near FAILED/);
  await writeFile(at.dir.file('holdfast.yaml'), policy);
  await at.ok('backup', '--all');
  const { stdout } = await at.run(['status']);
  assert.match(stdout.toString(), /uploads: MET[^]*· run of nightly in near FAILED .*not counted/);
});

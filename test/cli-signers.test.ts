import assert from 'node:assert/strict';
import { rename, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { policyScene, policyText, type PolicyScene } from './support/policy-scene.ts';
import { jsonLines } from './support/scene.ts';
import type { RunResult } from './support/run-program.ts';

/** A command as another host, with a key of its own, runs it. */
async function elsewhere({ dir, run }: PolicyScene, host: string, ...args: readonly string[]): Promise<RunResult> {
  return await run(['--state-dir', dir.file(host), ...args]);
}

async function keyOf(at: PolicyScene, host: string): Promise<string> {
  const [own] = jsonLines((await elsewhere(at, host, 'records', 'signers', '--json')).stdout.toString());
  return String(own?.['key']);
}

async function believing(at: PolicyScene, key: string): Promise<void> {
  await writeFile(at.dir.file('holdfast.yaml'), policyText(at.dir, `signers: ["${key}"]\n`));
}

test('whom a believed key introduces is believed in every chain, and whom that one introduces', async () => {
  await using at = await policyScene();
  const [first, second, third] = [await keyOf(at, 'one'), await keyOf(at, 'two'), await keyOf(at, 'three')];
  await believing(at, first);
  for (const host of ['one', 'two', 'three']) assert.equal((await elsewhere(at, host, 'backup', 'uploads')).code, 0);
  const before = await elsewhere(at, 'one', 'records', '--verify');
  assert.equal(before.code, 4);
  assert.match(before.stdout.toString(), /BROKEN at .*signed by a key that nobody introduced/);
  assert.equal((await elsewhere(at, 'one', 'records', 'trust', second, '--whose', 'two')).code, 0);
  const trusted = await elsewhere(at, 'two', 'records', 'trust', third, '--json');
  assert.deepEqual(JSON.parse(trusted.stdout.toString()), { message_type: 'trusted', signer: third, whose: '' });
  const after = await elsewhere(at, 'one', 'records', '--verify');
  assert.equal(after.code, 0, after.stdout.toString());
  assert.doesNotMatch(after.stdout.toString(), /BROKEN/);
  const shown = jsonLines((await elsewhere(at, 'two', 'records', 'signers', '--json')).stdout.toString());
  assert.deepEqual(
    shown.map(({ key, believed }) => [key, believed]),
    [
      [second, 'introduced'],
      [first, 'policy'],
      [third, 'introduced'],
    ],
  );
});

test('whom an unknown key introduces is not believed, and a host whose key nobody believes introduces none', async () => {
  await using at = await policyScene();
  const [first, second, third] = [await keyOf(at, 'one'), await keyOf(at, 'two'), await keyOf(at, 'three')];
  await believing(at, first);
  const refused = await elsewhere(at, 'two', 'records', 'trust', third);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /own key is believed by nobody/);
  // By a policy of its own it does so all the same: a record that nobody else believes.
  await believing(at, second);
  assert.equal((await elsewhere(at, 'two', 'records', 'trust', third)).code, 0);
  assert.equal((await elsewhere(at, 'three', 'backup', 'uploads')).code, 0);
  await believing(at, first);
  const { code, stdout } = await elsewhere(at, 'one', 'records', '--verify');
  assert.equal(code, 4);
  assert.match(stdout.toString(), /uploads by [^\n]*BROKEN/);
});

test('where the repository of the introductions can not be asked, nobody is accused', async () => {
  await using at = await policyScene();
  const [first, second] = [await keyOf(at, 'one'), await keyOf(at, 'two')];
  const text = policyText(at.dir, `signers: ["${first}"]\n`).replace(/to: \{ near: .*\}, far/, 'to: { far');
  await writeFile(at.dir.file('holdfast.yaml'), text);
  assert.equal((await elsewhere(at, 'one', 'records', 'trust', second)).code, 0);
  assert.equal((await elsewhere(at, 'two', 'backup', 'uploads')).code, 0);
  await rename(at.dir.file('near'), at.dir.file('away'));
  const { code, stdout } = await elsewhere(at, 'one', 'records', '--verify');
  assert.equal(code, 5, stdout.toString());
  assert.match(stdout.toString(), /nobody introduced.*not every repository could be asked/);
});

test('a key that is none, and a policy without signers, are refused', async () => {
  await using at = await policyScene();
  const own = await keyOf(at, 'one');
  const wrong = await elsewhere(at, 'one', 'records', 'trust', 'AAAA');
  assert.equal(wrong.code, 2);
  const none = await elsewhere(at, 'one', 'records', 'trust', own);
  assert.equal(none.code, 1);
  assert.match(none.stderr, /the policy names no signers/);
});

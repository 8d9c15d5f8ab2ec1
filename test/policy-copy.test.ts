import assert from 'node:assert/strict';
import { appendFile, chmod, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { dataOf, policyScene } from './support/policy-scene.ts';
import { jsonLines } from './support/scene.ts';

test('a copy whose source is gone blames the source', async () => {
  await using at = await policyScene();
  await rename(at.dir.file('near'), at.dir.file('away'));
  const { code, stderr } = await at.run(['copy', '--all']);
  assert.equal(code, 1);
  assert.match(stderr, /^uploads, rule hourly, copy to far, near: there is no repository/m);
  const said = jsonLines((await at.run(['copy', '--all', '--json'])).stderr);
  const failed = said.find((one) => one['message_type'] === 'rule_failed');
  assert.deepEqual([failed?.['repository'], failed?.['from'], failed?.['to']], ['near', 'near', 'far']);
});

test('a copy that fails in the midst for its source blames the source, until a copy succeeds', async () => {
  await using at = await policyScene();
  await at.ok('backup', '--all');
  await rename(at.dir.file('far'), at.dir.file('away'));
  await appendFile(`${at.source}/file`, 'second');
  await at.run(['backup', '--all']);
  await rename(at.dir.file('away'), at.dir.file('far'));
  const indexes = await readdir(at.dir.file('near/index'));
  const files = indexes.map((name) => at.dir.file(`near/index/${name}`));
  const sound = await Promise.all(files.map(async (file) => await readFile(file)));
  for (const file of files) {
    await chmod(file, 0o600);
    await writeFile(file, 'what it never was');
  }
  assert.match((await at.run(['copy', '--all', '--no-cache'])).stderr, /^uploads, rule hourly, copy to far, near: /m);
  const { rule, from, at: place, outcome } = dataOf((await at.recorded('copy')).at(-1));
  assert.deepEqual([rule, from, place, outcome], ['hourly', 'near', 'near', 'failed']);
  assert.match((await at.run(['status'])).stdout.toString(), /copy of hourly in far FAILED .*: near: /);
  for (const [position, file] of files.entries()) await writeFile(file, sound[position] ?? '');
  await at.ok('copy', '--all');
  assert.doesNotMatch((await at.run(['status'])).stdout.toString(), /FAILED/);
});

test('a copy between repositories of no policy says which of the two failed', async () => {
  await using at = await policyScene();
  const [password, env] = [at.dir.file('password'), { HOLDFAST_CONFIG: '' }];
  const copied = async (to: string, from: string): Promise<string> => {
    const places = ['--from-repo', at.dir.file(from), '--from-password-file', password];
    return (await at.run(['-r', at.dir.file(to), '--password-file', password, 'copy', ...places], env)).stderr;
  };
  assert.match(await copied('near', 'nowhere'), /^holdfast: the source: there is no repository/m);
  assert.match(await copied('nowhere', 'near'), /^holdfast: the target: there is no repository/m);
});

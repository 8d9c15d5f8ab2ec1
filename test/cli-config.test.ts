import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { holdfastProgram } from './support/holdfast.ts';
import { runOk, runProgram } from './support/run-program.ts';
import { samplePolicy } from './support/sample-policy.ts';
import { tempDir } from './support/temp-dir.ts';

const env = { HOLDFAST_CONFIG: undefined, PASSWORD: 'kanarienvogel' };

test('config check tells all problems with their places, and exits with 2; what is not there is a warning; no secret is shown', async () => {
  await using dir = await tempDir();
  await writeFile(
    dir.file('holdfast.yaml'),
    samplePolicy.replace('rpo: 2h', 'rpo: 2').replace('every: 1h,', 'evry: 1h,'),
  );
  const refused = await runProgram(holdfastProgram, ['config', 'check'], { cwd: dir.path, env });
  assert.equal(refused.code, 2);
  assert.match(refused.stdout.toString(), /^\.\/holdfast\.yaml:11:21: tiers\.important\.rpo: needs a length of time/m);
  assert.match(refused.stdout.toString(), /evry: unknown key; did you mean "every"/);
  await writeFile(dir.file('right.yaml'), samplePolicy);
  const checked = ['config', 'check', '--json', '--config', dir.file('right.yaml')];
  const json = (await runOk(holdfastProgram, checked, { env })).toString();
  const record: unknown = JSON.parse(json);
  assert.partialDeepStrictEqual(record, {
    message_type: 'policy_check',
    holds: true,
    components: ['shop-db', 'uploads', 'legacy'],
    unreadable_secrets: [],
  });
  assert.ok(!json.includes(env.PASSWORD));
  const { stdout } = await runProgram(holdfastProgram, ['config', 'check', '--config', dir.file('right.yaml')], {
    env,
  });
  assert.match(stdout.toString(), /components\.uploads: warning: \/srv\/uploads: /);
  assert.match(stdout.toString(), /components\.legacy: warning: mydump: there is no such program/);
});

test('config check says which secrets can’t be had, and why, without showing any', async () => {
  await using dir = await tempDir();
  await writeFile(dir.file('key'), '');
  const command = `{ command: "${process.execPath} -e 'console.log(process.env.PASSWORD); process.exit(3)'" }`;
  const text = samplePolicy
    .replace('{ env: PASSWORD }', '{ env: NOWHERE }')
    .replace('{ env: PASSWORD }', command)
    .replace('{ env: PASSWORD }', '{ credential: holdfast }');
  await writeFile(dir.file('holdfast.yaml'), text);
  const { code, stdout } = await runProgram(holdfastProgram, ['config', 'check'], { cwd: dir.path, env });
  assert.equal(code, 1);
  const told = stdout.toString();
  assert.match(told, /repositories\.local\.password can’t be had: the variable NOWHERE is not set/);
  assert.match(told, /repositories\.s3\.password can’t be had: .*ended with exit code 3/);
  assert.match(told, /repositories\.cold\.password can’t be had: systemd handed over no credentials/);
  assert.ok(!told.includes(env.PASSWORD));
});

test('config explain shows what holds for a component, and where each value comes from', async () => {
  await using dir = await tempDir();
  await writeFile(dir.file('p.yaml'), samplePolicy);
  const at = ['--config', dir.file('p.yaml')];
  const told = (await runOk(holdfastProgram, ['config', 'explain', 'uploads', ...at], { env })).toString();
  assert.match(told, /^ {2}# {3}rpo: 2h +# line 11$/m);
  assert.match(told, /^ {6}every: 1h +# line 31$/m);
  assert.match(told, /^ {4}one-file-system: false +# Holdfast’s default$/m);
  const unknown = await runProgram(holdfastProgram, ['config', 'explain', 'uplods', ...at], { env });
  assert.equal(unknown.code, 2);
});

test('config schema is a JSON Schema that names every key', async () => {
  const schema: unknown = JSON.parse((await runOk(holdfastProgram, ['config', 'schema'], { env })).toString());
  assert.partialDeepStrictEqual(schema, {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    properties: { repositories: { type: 'object' }, components: { type: 'object' }, templates: {} },
    additionalProperties: false,
  });
});

test('without a file, with one that can’t be read: exit code 2, and where it was looked for', async () => {
  await using dir = await tempDir();
  for (const [args, message] of [
    [[], /neither --config nor \$HOLDFAST_CONFIG names one/],
    [['--config', dir.file('nowhere.yaml')], /nowhere\.yaml can’t be read/],
  ] as const) {
    const { code, stderr } = await runProgram(holdfastProgram, ['config', 'check', ...args], { cwd: dir.path, env });
    assert.equal(code, 2);
    assert.match(stderr, message);
  }
});

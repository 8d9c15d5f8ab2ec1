import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { dataOf, policyScene, policyText } from './support/policy-scene.ts';

test('a prune by the policy is recorded under @repository, a dry run and one by -r are not', async () => {
  await using at = await policyScene();
  await at.ok('backup', 'uploads');
  await at.ok('prune', '--repository', 'far', '--dry-run');
  await at.run(['-r', at.dir.file('far'), 'prune', '--password-file', at.dir.file('password')]);
  assert.deepEqual(await at.recorded('prune'), []);
  assert.match(await at.ok('prune', '--all'), /near:[^]*far:/);
  const records = await at.recorded('prune');
  assert.deepEqual(
    records.map(({ component, repository }) => [component, repository]),
    [
      ['@repository', 'near'],
      ['@repository', 'far'],
    ],
  );
  const { outcome, way, planned } = dataOf(records[0]);
  assert.deepEqual(
    { outcome, way, planned },
    { outcome: 'done', way: 'fitting', planned: { remove: 0, repack: 0, bytes: 0 } },
  );
  // One chain for all repositories of the policy, in the first of them; the other is told of its heads.
  assert.deepEqual(await readdir(at.dir.file('near/holdfast/records')), ['@repository', 'uploads']);
  const [writer = ''] = await readdir(at.dir.file('far/holdfast/records/@repository'));
  const chain = await readdir(at.dir.file(`near/holdfast/records/@repository/${writer}`));
  // The first says which policy this is.
  assert.deepEqual(chain, ['0000000001', '0000000002', '0000000003']);
  const heads = await readdir(at.dir.file(`far/holdfast/records/@repository/${writer}`));
  assert.deepEqual(
    heads.map((name) => /^head-[0-9a-f]{16}-(\d{10})$/.exec(name)?.[1]),
    chain,
  );
});

test('of several repositories one must be named; one that fails is recorded, and the others go on', async () => {
  await using at = await policyScene();
  for (const [args, message] of [
    [['prune'], /which repository\? There are near, far/],
    [['unlock', '--repository', 'nera'], /no repository "nera"; did you mean near\?/],
    [
      ['prune', '--repository', 'near', '-r', at.dir.file('near')],
      /--repository can’t stand beside a single repository/,
    ],
  ] as const) {
    const { code, stderr } = await at.run(args);
    assert.equal(code, 2, args.join(' '));
    assert.match(stderr, message);
  }
  await at.ok('backup', 'uploads');
  await writeFile(at.dir.file('far/config'), 'no config');
  const { code, stderr } = await at.run(['prune', '--all']);
  assert.equal(code, 1);
  assert.match(stderr, /far: /);
  const outcomes = (await at.run(['records', '--kind', 'prune', '--json'])).stdout.toString();
  assert.match(outcomes, /"repository":"near"[^\n]*"outcome":"done"[^]*"repository":"far"[^\n]*"outcome":"failed"/);
});

test('who added, listed, changed and removed keys is recorded, no password with it', async () => {
  await using at = await policyScene();
  const near = ['--repository', 'near'];
  await writeFile(at.dir.file('new'), 'kanarienvogel');
  await at.ok('key', 'add', ...near, '--new-password-file', at.dir.file('new'), '--user', 'zoe');
  const keys: unknown = JSON.parse(await at.ok('key', 'list', ...near, '--json'));
  assert.ok(Array.isArray(keys));
  const { id } = (keys as readonly { readonly userName: string; readonly id: string }[]).find(
    ({ userName }) => userName === 'zoe',
  ) ?? { id: '' };
  await at.ok('key', 'remove', ...near, id);
  const records = await at.recorded('key');
  const found = records.map((record) => dataOf(record));
  assert.deepEqual(
    found.map(({ action, outcome }) => `${String(action)} ${String(outcome)}`),
    ['added done', 'listed done', 'removed done'],
  );
  assert.equal(found[0]?.['key'], id);
  assert.equal(found[0]?.['username'], 'zoe');
  assert.doesNotMatch(JSON.stringify(records), /kanarienvogel/);
});

test('a changed password is recorded by who could still open the repository', async () => {
  await using at = await policyScene();
  await writeFile(at.dir.file('new'), 'kanarienvogel');
  const { code, stderr } = await at.run([
    'key',
    'passwd',
    '--repository',
    'near',
    '--new-password-file',
    at.dir.file('new'),
  ]);
  assert.equal(code, 0, stderr);
  assert.equal(stderr, '');
  assert.notEqual((await at.run(['records'])).code, 0);
  await writeFile(
    at.dir.file('holdfast.yaml'),
    policyText(at.dir, '').replace(at.dir.file('password'), at.dir.file('new')),
  );
  const [record] = await at.recorded('key');
  assert.equal(dataOf(record)['action'], 'changed');
});

test('unlock by the policy is recorded, with the address that SSH gives', async () => {
  await using at = await policyScene();
  const { code } = await at.run(['unlock', '--repository', 'near', '--remove-all'], {
    SSH_CONNECTION: '192.0.2.7 50022 192.0.2.1 22',
  });
  assert.equal(code, 0);
  const [record] = await at.recorded('lock');
  assert.deepEqual(dataOf(record), { outcome: 'done', action: 'removed', which: 'all', locks: 0 });
  const actor = record?.['actor'];
  assert.ok(typeof actor === 'object' && actor !== null && 'ip' in actor);
  assert.equal(actor.ip, '192.0.2.7');
});

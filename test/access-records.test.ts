import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { dataOf, policyScene, type PolicyScene } from './support/policy-scene.ts';

/** What each access was: action, repository, how many points, and the rest of what was asked. */
async function accesses({ recorded }: PolicyScene): Promise<readonly unknown[]> {
  const records = await recorded('access');
  return records.map((record) => {
    const { action, points, ...asked } = dataOf(record);
    assert.ok(Array.isArray(points));
    return [action, record['component'], record['repository'], points.length, asked];
  });
}

test('who reads what of a backup by the policy is recorded: dump, ls, find, diff; listing snapshots is not', async () => {
  await using at = await policyScene();
  await at.ok('backup', 'uploads');
  await writeFile(`${at.source}/file`, 'second\n');
  await at.ok('backup', 'uploads');
  assert.equal(await at.ok('dump', 'uploads', `${at.source}/file`), 'second\n');
  assert.match(await at.ok('ls', 'uploads', at.source, '--from', 'far'), /sub/);
  assert.match(await at.ok('find', 'uploads', 'oth*'), /sub\/other[^]*sub\/other/);
  assert.match(await at.ok('diff', 'uploads', 'latest'), /Files: +0 new/);
  await at.ok('snapshots', 'uploads');
  await at.run(['status']);
  assert.deepEqual(await accesses(at), [
    ['dump', 'uploads', 'near', 1, { paths: [`${at.source}/file`] }],
    ['ls', 'uploads', 'far', 1, { paths: [at.source] }],
    ['find', 'uploads', 'near', 1, { patterns: ['oth*'], snapshots: ['all'] }],
    ['diff', 'uploads', 'near', 2, {}],
  ]);
});

test('an access is recorded before anything is shown, from which address too, whatever comes of it', async () => {
  await using at = await policyScene();
  await at.ok('backup', 'uploads');
  await rm(at.dir.file('near/data'), { recursive: true });
  const ssh = { SSH_CONNECTION: '192.0.2.7 50022 192.0.2.1 22' };
  const { code } = await at.run(['dump', 'uploads', `${at.source}/file`, '--from', 'near'], ssh);
  assert.notEqual(code, 0);
  const [record, ...others] = await at.recorded('access');
  assert.deepEqual(others, []);
  const actor = record?.['actor'];
  assert.ok(typeof actor === 'object' && actor !== null && 'ip' in actor);
  assert.equal(actor.ip, '192.0.2.7');
});

test('a restore of a part is recorded with what was asked for', async () => {
  await using at = await policyScene();
  await at.ok('backup', 'uploads');
  await at.ok('restore', 'uploads', '--target', at.dir.file('out'), '--include', 'other');
  const [record] = await at.recorded('restore');
  const { outcome, target, include } = dataOf(record);
  assert.deepEqual({ outcome, target, include }, { outcome: 'done', target: at.dir.file('out'), include: ['other'] });
});

test('an access that names more than a record may hold is recorded as far as it fits', async () => {
  await using at = await policyScene();
  await at.ok('backup', 'uploads');
  const patterns = Array.from({ length: 20 }, (_, n) => `${n}${'x'.repeat(1000)}`);
  await at.ok('find', 'uploads', ...patterns);
  const [record] = await at.recorded('access');
  const { patterns: kept, left_out: leftOut } = dataOf(record);
  assert.ok(Array.isArray(kept));
  assert.equal(kept.length + Number(leftOut), 20);
  assert.ok(kept.length > 0 && JSON.stringify(record).length < 20_000);
});

test('what a policy can not say is refused, and reads nothing', async () => {
  await using at = await policyScene();
  const near = ['-r', at.dir.file('near'), '-p', at.dir.file('password')];
  for (const [args, message] of [
    [['ls', 'uplods'], /did you mean uploads\?/],
    [['ls', 'uploads', '--host', 'x'], /--host can’t stand beside a policy/],
    [['find', 'uploads'], /find COMPONENT PATTERN/],
    [['dump', 'uploads', '/x', '--from', 'nowhere'], /no repository "nowhere"/],
    [[...near, 'ls', 'latest', '--at', 'yesterday'], /--at can’t stand beside a single repository/],
    [[...near, 'diff', 'a', 'b', 'c'], /a component with two times is for a policy/],
  ] as const) {
    const { code, stderr } = await at.run(args);
    assert.equal(code, 2, args.join(' '));
    assert.match(stderr, message);
  }
  assert.deepEqual(await at.recorded('access'), []);
});

import assert from 'node:assert/strict';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { jsonLines } from './support/scene.ts';
import { dataOf, policyScene, policyText } from './support/policy-scene.ts';

test('a policy is recorded when a command first runs by it, and again once it was changed: by paths, without values', async () => {
  await using at = await policyScene();
  await at.ok('backup', 'uploads');
  await at.ok('backup', 'uploads');
  const changed = policyText(at.dir, 'strict: true\n').replace('last: 7', 'last: 8');
  await writeFile(at.dir.file('holdfast.yaml'), changed);
  await at.ok('backup', 'uploads', '--dry-run');
  await at.ok('backup', 'uploads');
  await at.ok('forget', 'uploads');
  const records = await at.recorded('configuration');
  const found = records.map((record) => ({ component: record['component'], ...dataOf(record) }));
  const own = { component: '@repository', outcome: 'done', file: at.dir.file('holdfast.yaml') };
  const policies = records.map((record) => dataOf(record)['policy']);
  assert.deepEqual(found, [
    { ...own, policy: policies[0], first: true },
    {
      ...own,
      policy: policies[1],
      paths: ['components.uploads.backups.hourly.to.near.keep.counts.last', 'strict'],
      changed: 2,
    },
  ]);
  assert.match(policies.join(), /^[0-9a-f]{64},[0-9a-f]{64}$/);
});

test('a configuration that could not be recorded is told by a later command, though nothing changed', async () => {
  await using at = await policyScene();
  await rename(at.dir.file('near'), at.dir.file('away'));
  const { stderr } = await at.run(['forget', 'uploads']);
  assert.match(stderr, /near can’t take the record, which waits on this host/);
  await rename(at.dir.file('away'), at.dir.file('near'));
  await at.ok('forget', 'uploads');
  assert.equal((await at.recorded('configuration')).length, 1);
});

test('a person’s statement is recorded with its end, and told as expired after it', async () => {
  await using at = await policyScene();
  await at.ok('records', 'attest', 'offsite-disk', 'week 47 lies in the vault', '--valid', '8d');
  await at.ok('records', 'attest', 'drill', 'the drill of today', '--valid', '1s', '--component', 'uploads');
  const end = Date.now() + 1100;
  while (Date.now() < end) await new Promise(setImmediate);
  const records = await at.recorded('attestation');
  assert.deepEqual(
    records.map((record) => [record['component'], record['expired'], dataOf(record)['about']]),
    [
      ['@repository', false, 'offsite-disk'],
      ['uploads', true, 'drill'],
    ],
  );
  const table = await at.ok('records', '--kind', 'attestation');
  assert.match(table, /offsite-disk \(holds until .*week 47 lies in the vault[^]*drill \(EXPIRED /);
});

test('status tells the newest statement about each thing, and which have expired', async () => {
  await using at = await policyScene();
  await at.ok('records', 'attest', 'disk', 'week 46', '--valid', '1s');
  await at.ok('records', 'attest', 'disk', 'week 47', '--valid', '8d');
  await at.ok('records', 'attest', 'drill', 'it ran', '--valid', '1s', '--component', 'uploads');
  const end = Date.now() + 1100;
  while (Date.now() < end) await new Promise(setImmediate);
  const { stdout } = await at.run(['status', '--json']);
  const found = jsonLines(stdout.toString()).filter((one) => one['message_type'] === 'attestation');
  assert.deepEqual(
    found.map(({ component, about, statement, expired }) => [component, about, statement, expired]),
    [
      ['@repository', 'disk', 'week 47', false],
      ['uploads', 'drill', 'it ran', true],
    ],
  );
  const of = (await at.run(['status', 'uploads'])).stdout.toString();
  assert.match(of, /! uploads: stated .*, EXPIRED .*drill: it ran/);
  assert.doesNotMatch(of, /week 47/);
});

test('a statement without an end, a name or words is refused', async () => {
  await using at = await policyScene();
  for (const [args, message] of [
    [['disk', 'it is there'], /how long does it hold\? Say --valid 90d/],
    [['disk', 'it is there', '--valid', '0d'], /--valid: "0d" is no span/],
    [['Off Site', 'it is there', '--valid', '1d'], /is no short name/],
    [['disk', ' ', '--valid', '1d'], /has 1 to 4000 characters/],
    [['disk', 'x', '--valid', '1d', '--component', 'uplods'], /did you mean uploads\?/],
  ] as const) {
    const { code, stderr } = await at.run(['records', 'attest', ...args]);
    assert.equal(code, 2, args.join(' '));
    assert.match(stderr, message);
  }
  await assert.rejects(readFile(at.dir.file('near/holdfast/records')), { code: 'ENOENT' });
});

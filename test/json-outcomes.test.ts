import assert from 'node:assert/strict';
import { test } from 'node:test';
import { policyScene } from './support/policy-scene.ts';
import { jsonLines } from './support/scene.ts';

test('as JSON, what finds nothing to do says so', async () => {
  await using at = await policyScene();
  const there = jsonLines(await at.ok('init', '--json'));
  assert.deepEqual(
    there.map((one) => [one['message_type'], one['name'], one['repository']]),
    [
      ['present', 'near', at.dir.file('near')],
      ['present', 'far', at.dir.file('far')],
    ],
  );
  for (const one of there) assert.match(String(one['id']), /^[0-9a-f]{64}$/);
  await at.ok('backup', '--all');
  const copied = jsonLines(await at.ok('copy', '--all', '--json'));
  const summary = copied.at(-1);
  assert.equal(copied[0]?.['message_type'], 'rule');
  assert.deepEqual(
    [summary?.['message_type'], summary?.['snapshots_copied'], summary?.['snapshots_to_copy']],
    ['summary', 0, 0],
  );
});

test('as JSON, a statement says what was recorded', async () => {
  await using at = await policyScene();
  const words = ['records', 'attest', 'vault', 'The disk lies in the vault', '--valid', '8d'];
  const [attested] = jsonLines(await at.ok(...words, '--json'));
  const { message_type: kind, component, about, statement } = attested ?? {};
  assert.deepEqual(
    { kind, component, about, statement },
    { kind: 'attested', component: '@repository', about: 'vault', statement: 'The disk lies in the vault' },
  );
  assert.ok(Date.parse(String(attested?.['expires'])) > 0);
});

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { loadPolicy } from '../src/policy/load.ts';
import { problemLine } from '../src/policy/problem.ts';

const folder = new URL('../examples/', import.meta.url);
const examples = readdirSync(folder).filter((name) => name.endsWith('.yaml'));

test('there is an example for each of the five systems', () => {
  assert.deepEqual(
    examples.map((name) => name.slice(0, 2)),
    ['s1', 's2', 's3', 's4', 's5'],
  );
});

for (const example of examples) {
  test(`the example ${example} holds in full; what is not built yet is named`, () => {
    const { policy, problems } = loadPolicy(readFileSync(new URL(example, folder), 'utf8'));
    const errors = problems.filter(({ severity }) => severity === 'error').map((one) => problemLine(example, one));
    assert.deepEqual(errors, []);
    assert.ok(Object.keys(policy?.components ?? {}).length >= 5);
    assert.ok(problems.some(({ severity }) => severity === 'not-built'));
    // Each has something to protect that this version has a driver for, with a rule that brings it somewhere.
    for (const [name, { backups }] of Object.entries(policy?.components ?? {}))
      assert.ok(Object.keys(backups).length > 0, name);
  });
}

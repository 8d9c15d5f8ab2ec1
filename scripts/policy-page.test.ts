import assert from 'node:assert/strict';
import { test } from 'node:test';
import { policyPage } from './policy-page.ts';

test('the reference of the policy file says what the form says (node scripts/policy-page.ts)', () => {
  const { there, wanted } = policyPage();
  assert.equal(there, wanted);
  for (const key of ['`rpo`', '`delete-credentials`', '`within-hourly`', '`dump`', '`templates`', '`checksums`'])
    assert.ok(there.includes(`| ${key} |`), key);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { proofPage } from './proof-page.ts';

test('a proof is a row with claim, test, count, seeds, date and commit', () => {
  const proof = { claim: 'a | b', test: 'kills', count: '500 kills', seeds: ['1', '2'] };
  const page = proofPage('abc', { 'test/crash': { date: '2026-01-02', passed: 4, skipped: 1, proofs: [proof] } });
  assert.ok(page.includes('| a \\| b | kills | 500 kills | 1 2 | 2026-01-02 | abc |'));
  assert.ok(page.includes('| test/crash | 4 | 1 | 2026-01-02 |'));
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { proofPage, type Section } from './proof-page.ts';

const nothing = { date: '2026-01-02', commit: 'abc', passed: 4, failed: 0, skipped: 1, proofs: [] };

test('a proof is a row with claim, test, count, seeds, date and commit', () => {
  const proof = { claim: 'a | b', test: 'kills', count: '500 kills', seeds: ['1', '3'] };
  const page = proofPage(['crash.test.ts'], { 'crash.test.ts': { ...nothing, proofs: [proof] } });
  assert.ok(page.includes('| a \\| b | kills | 500 kills | 1 3 | 2026-01-02 | abc |'));
  assert.ok(page.includes('| crash.test.ts | 4 | 0 | 1 | 2026-01-02 | abc |'));
  assert.ok(page.includes('All 1 sections passed.'));
});

test('seeds that follow one another are a range', () => {
  const proof = { claim: 'c', test: 't', count: '3 runs', seeds: ['7', '8', '9'] };
  assert.ok(proofPage(['a'], { a: { ...nothing, proofs: [proof] } }).includes('| c | t | 3 runs | 7…9 |'));
});

test('tables of one title stand as one, each row of them', () => {
  const table = { title: 'Deeds', columns: ['deed', 'by'], rows: [['hid', 'a']] };
  const proof = { claim: 'c', test: 't', count: '1', seeds: [], table };
  const other = { ...proof, table: { ...table, rows: [['removed', 'b']] } };
  const page = proofPage(['a', 'b'], { a: { ...nothing, proofs: [proof] }, b: { ...nothing, proofs: [other] } });
  assert.ok(page.includes('## Deeds\n\n| deed | by |\n| --- | --- |\n| hid | a |\n| removed | b |\n\n'));
});

test('rows that fill different columns of one thing stand as one, and what nobody filled is NOT RUN', () => {
  const of = (...rows: readonly (readonly (string | null)[])[]): Section => {
    const table = { title: 'Promises', columns: ['promise', 'here', 'there'], rows };
    return { ...nothing, proofs: [{ claim: 'c', test: 't', count: '1', seeds: [], table }] };
  };
  const page = proofPage(['a', 'b'], {
    a: of(['listed', 'kept', null], ['locked', 'kept', null]),
    b: of(['listed', 'kept', 'broken'], ['listed', 'again', 'kept']),
  });
  assert.ok(page.includes('| listed | kept | broken |\n| locked | kept | NOT RUN |\n| listed | again | kept |\n'));
});

test('what was not run and what failed is named, and nothing is claimed from it', () => {
  const proof = { claim: 'nothing is lost', test: 't', count: '1', seeds: [] };
  const broken: Section = { ...nothing, failed: 2, proofs: [proof] };
  const page = proofPage(['a', 'b', 'c'], { a: nothing, b: broken });
  assert.ok(page.includes('**Incomplete**: of 3 sections 1 were not run, and 1 failed.'));
  assert.ok(page.includes('| b | 4 | **2 FAILED** |'));
  assert.ok(page.includes('| c | NOT RUN |'));
  assert.ok(!page.includes('nothing is lost'));
});

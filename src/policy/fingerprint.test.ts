import assert from 'node:assert/strict';
import { test } from 'node:test';
import { samplePolicy } from '../../test/support/sample-policy.ts';
import { changedPaths, fingerprintOf, hashOfFingerprint, type Fingerprint } from './fingerprint.ts';
import { loadPolicy } from './load.ts';

function fingerprint(text: string): Fingerprint {
  const { policy } = loadPolicy(text);
  assert.ok(policy);
  return fingerprintOf(policy);
}

test('what changed of a policy is told by paths: added, removed, changed; a list as a whole', () => {
  const before = fingerprint(samplePolicy);
  const after = fingerprint(
    samplePolicy
      .replace('rpo: 2h, rto: 8h', 'rpo: 3h, immutable: 1')
      .replace('exclude: ["*.tmp"]', 'exclude: ["*.tmp", "*.bak"]'),
  );
  assert.deepEqual(changedPaths(before, after), [
    'components.uploads.source.options.exclude',
    'tiers.important.immutable',
    'tiers.important.rpo',
    'tiers.important.rto',
  ]);
  assert.notEqual(hashOfFingerprint(before), hashOfFingerprint(after));
});

test('the same policy in another spelling is the same', () => {
  const before = fingerprint(samplePolicy);
  const after = fingerprint(`# a comment\n${samplePolicy.replace('rpo: 2h, rto: 8h', 'rto: 8h, rpo: 2h')}`);
  assert.deepEqual(changedPaths(before, after), []);
  assert.equal(hashOfFingerprint(before), hashOfFingerprint(after));
});

test('no value of a policy stands in its fingerprint', () => {
  const texts = [...fingerprint(samplePolicy.replace('/backups/main', '/kanarienvogel'))].flat();
  assert.ok(!texts.some((text) => text.includes('kanarienvogel')));
});

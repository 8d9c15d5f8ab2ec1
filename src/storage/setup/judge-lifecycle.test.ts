import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LifecycleRule } from '../setup.ts';
import { judgeLifecycle, type Circumstances } from './judge-lifecycle.ts';

const day = 86_400_000;
const locked = { ms: 30 * day, mode: 'compliance' } as const;
const on = { known: true, answer: 'on' } as const;
const circumstances: Circumstances = { prefix: 'team/', versioning: on, locked };
const bare: LifecycleRule = { name: 'r', prefix: '', removesMarkers: false, endsUploads: false, movesInto: [] };
/** What a bucket with versions and a lock of 30 days should have. */
const good: LifecycleRule = { ...bare, noncurrentDays: 30, removesMarkers: true, endsUploads: true };

function judged(rules: readonly LifecycleRule[], of: Partial<Circumstances> = {}): readonly string[] {
  const statements = judgeLifecycle({ known: true, answer: rules }, { ...circumstances, ...of });
  return statements.map(({ state, text }) => `${state}: ${text}`);
}

const fine = ['ok: no lifecycle rule touches what is current'];

test('rules that end old versions, markers and uploads once the lock is over are all that it takes', () => {
  assert.deepEqual(judged([good]), fine);
  assert.deepEqual(judged([{ ...good, prefix: 'te' }]), fine);
  const apart = [
    { ...bare, noncurrentDays: 30 },
    { ...bare, removesMarkers: true, endsUploads: true },
  ];
  assert.deepEqual(judged(apart), fine);
});

test('a rule that removes what is current is a danger wherever it meets the storage', () => {
  const danger = 'failed: the lifecycle rule r removes objects after 30 days';
  for (const prefix of ['', 'team/', 'tea', 'team/data/', 'team/holdfast/'])
    assert.deepEqual(judged([good, { ...bare, prefix, expires: 'after 30 days' }]), [danger]);
  for (const prefix of ['other/', 'team/locks/', 'team/holdfast/conformance/'])
    assert.deepEqual(judged([good, { ...bare, prefix, expires: 'after 30 days' }]), fine);
  assert.deepEqual(judged([good, { ...bare, expires: 'on 2027-01-01', only: 'with tags' }]), [
    'warning: the lifecycle rule r removes objects with tags on 2027-01-01',
  ]);
});

test('old versions may not go before the lock is over', () => {
  const early = { ...good, noncurrentDays: 29 };
  assert.deepEqual(judged([early]), ['failed: the lifecycle rule r removes old versions after 29 days']);
  assert.deepEqual(judged([early], { locked: { ...locked, ms: 29 * day } }), fine);
  assert.deepEqual(judged([early], { locked: undefined }), fine);
});

test('what goes into an archive is no danger only where it is packs', () => {
  const archive = { ...bare, movesInto: ['STANDARD_IA', 'DEEP_ARCHIVE'] };
  assert.deepEqual(judged([good, archive]), ['failed: the lifecycle rule r moves objects into DEEP_ARCHIVE']);
  assert.deepEqual(judged([good, { ...archive, prefix: 'team/data/' }]), [
    'warning: the lifecycle rule r moves objects into DEEP_ARCHIVE',
  ]);
  assert.deepEqual(judged([good, { ...bare, movesInto: ['STANDARD_IA', 'GLACIER_IR'] }]), fine);
});

const uploads = 'warning: nothing but `prune` ends uploads in parts that were interrupted';
const costs = [
  'warning: nothing removes old versions',
  'warning: nothing removes markers that hide nothing any more',
  uploads,
];

test('what no rule removes costs, and a rule for a part of it is none', () => {
  assert.deepEqual(judged([]), [...fine, ...costs]);
  assert.deepEqual(judged([{ ...good, prefix: 'team/data/' }]), [...fine, ...costs]);
  assert.deepEqual(judged([{ ...good, only: 'of some sizes' }]), [...fine, ...costs]);
  assert.deepEqual(judged([], { versioning: { known: true, answer: 'off' } }), [...fine, uploads]);
  assert.deepEqual(judged([], { versioning: { known: false, because: 'refused', why: 'no' } }), [...fine, ...costs]);
});

test('rules that nobody may ask for are unknown, and a server without any has none', () => {
  const refused = { known: false, because: 'refused', why: 'AccessDenied' } as const;
  assert.deepEqual(judgeLifecycle(refused, circumstances), [
    { about: 'lifecycle', state: 'unknown', text: 'which lifecycle rules the bucket has', detail: 'AccessDenied' },
  ]);
  const none = judgeLifecycle({ ...refused, because: 'unsupported' }, circumstances);
  assert.equal(none[0]?.text, 'the server knows no lifecycle rules');
  assert.equal(none.length, 4);
});

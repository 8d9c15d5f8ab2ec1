import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseBlobId, parseFileId } from '../bytes/ids.ts';
import type { Proof, RecoverablePoint } from '../point/point.ts';
import { loadPolicy } from '../policy/load.ts';
import type { LockState } from './immutable.ts';
import { judge, type Facts, type Judged } from './objective.ts';

const text = `
version: 1
site: office
repositories:
  disk: { url: /a, password: { env: P }, site: office }
  bucket: { url: "s3:https://h/b", password: { env: P }, site: far, media: object, lock: { for: 1d } }
tiers: { t: { rpo: 2h, rto: 1h, copies: 3, media: 2, offsite: 1, immutable: 1, proof: 1d, proof-each: 30d } }
components:
  shop:
    tier: t
    files: { paths: [/srv] }
    backups:
      hourly: { every: 1h, to: { disk: { keep: { daily: 7 } }, bucket: { keep: { daily: 40 } } } }
      often: { every: 15m, to: { disk: { keep: { last: 9 } } } }
    verify: [{ every: 1d, from: each }]
`;
const { policy } = loadPolicy(text);
assert.ok(policy);
const hour = 3_600_000_000_000n;
const now = 1_000_000n * hour;

function point(hoursAgo: number, copies: Readonly<Record<string, Proof>>, rule = 'hourly'): RecoverablePoint {
  const timeNs = now - BigInt(Math.round(hoursAgo * 60)) * 60_000_000_000n;
  const id = parseFileId(String(timeNs).padStart(64, '0'));
  const facts = { paths: [], hostname: '', username: '', uid: 0, gid: 0, excludes: [], tags: [], programVersion: '' };
  const tree = parseBlobId('0'.repeat(64));
  const snapshot = { ...facts, id, time: '', timeNs, tree, others: {} };
  const held = Object.entries(copies).map(([repository, proof]) => ({
    held: 'repository' as const,
    repository,
    proof,
    snapshot,
  }));
  return { component: 'shop', rule, method: '', identity: id, timeNs, sizeBytes: 1, copies: held };
}

const stored: Proof = { state: 'stored' };
const proven = (hoursAgo: number): Proof => ({
  state: 'verified',
  level: 'restore',
  timeNs: now - BigInt(hoursAgo) * hour,
});

function states(facts: Partial<Facts>): Readonly<Record<string, string>> {
  const whole = { points: [], unknown: [], restoreSeconds: undefined, ...facts };
  return Object.fromEntries(
    judge(policy ?? assert.fail(), 'shop', whole, now).map(({ objective, state }) => [objective, state]),
  );
}

test('everything that was observed and is as wanted is met; a lock that was not read is unknown', () => {
  const points = [point(0.5, { disk: proven(1), bucket: proven(100) })];
  assert.deepEqual(states({ points, restoreSeconds: 600 }), {
    'rpo': 'met',
    'rto': 'met',
    'copies': 'met',
    'media': 'met',
    'offsite': 'met',
    'immutable': 'unknown',
    'proof': 'met',
    'proof-each': 'met',
  });
});

test('where a log can be replayed, the age of its stored end is the RPO', () => {
  const points = [point(20, { disk: stored })];
  const ago = (hours: number): bigint => now - BigInt(hours * 3600) * 1_000_000_000n;
  assert.equal(states({ points, logNs: ago(1) })['rpo'], 'met');
  assert.equal(states({ points, logNs: ago(3) })['rpo'], 'broken');
  assert.equal(states({ points })['rpo'], 'broken');
  assert.equal(states({ points: [point(1, { disk: stored })], logNs: ago(30) })['rpo'], 'met');
});

test('a point of what was left brings back nothing of what goes on: it makes no RPO', () => {
  const [old, left] = [point(20, { disk: stored }), point(0.1, { disk: stored })];
  assert.equal(states({ points: [old, left] })['rpo'], 'met');
  assert.equal(states({ points: [old, left], isLeft: (one) => one === left })['rpo'], 'broken');
});

test('the age of the newest point is the RPO: at risk near its end, broken beyond it', () => {
  for (const [hours, state] of [
    [1.5, 'met'],
    [1.9, 'at risk'],
    [2.1, 'broken'],
  ] as const)
    assert.equal(states({ points: [point(hours, { disk: stored })] })['rpo'], state);
  assert.equal(states({})['rpo'], 'broken');
  assert.equal(states({ unknown: ['bucket'] })['rpo'], 'unknown');
});

test('the last measured restore is the RTO; none measured is unknown', () => {
  assert.equal(states({ restoreSeconds: 3000 })['rto'], 'at risk');
  assert.equal(states({ restoreSeconds: 4000 })['rto'], 'broken');
  assert.equal(states({})['rto'], 'unknown');
});

const one = (took: number, error = 0): Facts['forecast'] => {
  const stages = { find: 0, fetch: took, start: 0, check: 0 };
  const pastError = { longer: error, shorter: 0, compared: 9 };
  return { repository: 'disk', forecast: { state: 'known', seconds: took, stages, measurements: 9, pastError } };
};

test('a forecast stands beside what was measured, with its past error, and is a risk at most', () => {
  assert.equal(states({ restoreSeconds: 600, forecast: one(700) })['rto'], 'met');
  assert.equal(states({ restoreSeconds: 600, forecast: one(3300, 0.12) })['rto'], 'at risk');
  assert.equal(states({ restoreSeconds: 600, forecast: one(9000) })['rto'], 'at risk');
  assert.equal(states({ forecast: one(700) })['rto'], 'unknown');
  const few = { repository: 'disk', forecast: { state: 'unknown', measurements: 1, needed: 3 } } as const;
  assert.equal(states({ restoreSeconds: 600, forecast: few })['rto'], 'met');
  const said = (forecast: Facts['forecast']): string | undefined => {
    const facts = { points: [], unknown: [], restoreSeconds: 600, forecast };
    return judge(policy ?? assert.fail(), 'shop', facts, now).find(({ objective }) => objective === 'rto')?.reached;
  };
  assert.equal(said(one(2520, 0.12)), '10 min measured, 42 min forecast from disk');
  assert.equal(said(one(3000, 0.5)), '10 min measured, 50 min forecast from disk, 75 min by its past error');
  assert.equal(said(few), '10 min measured, forecast not known yet');
});

test('a copy that is on its way is a risk; one that never came is broken, or unknown where nobody can be asked', () => {
  const [old, young] = [point(1.5, { disk: stored, bucket: stored }), point(0.1, { disk: stored })];
  assert.equal(states({ points: [old, young] })['copies'], 'at risk');
  assert.equal(states({ points: [young] })['copies'], 'broken');
  assert.equal(states({ points: [young], unknown: ['bucket'] })['copies'], 'unknown');
});

test('a rule that runs often and reaches few places takes nothing from one that reaches all and is not overdue', () => {
  const often = point(0.1, { disk: stored }, 'often');
  const all = (hoursAgo: number): RecoverablePoint => point(hoursAgo, { disk: stored, bucket: stored });
  assert.equal(states({ points: [all(2.9), often] })['copies'], 'met');
  assert.equal(states({ points: [all(3.1), often] })['copies'], 'broken');
  assert.equal(states({ points: [point(2.9, { disk: stored }), often] })['copies'], 'broken');
});

test('copies are immutable as the storage says, until a time and read at one; governance is not against an admin', () => {
  const points = [point(0.5, { disk: stored, bucket: stored })];
  const [untilNs, readNs] = [now + 24n * hour, now - 3n * hour];
  const judged = (lock: LockState, at = now): Judged | undefined => {
    const lockOf: Facts['lockOf'] = (repository) => (repository === 'bucket' ? lock : undefined);
    const facts = { points, unknown: [], restoreSeconds: undefined, lockOf };
    return judge(policy ?? assert.fail(), 'shop', facts, at).find(({ objective }) => objective === 'immutable');
  };
  const until = Temporal.Instant.fromEpochNanoseconds(untilNs).toString({ smallestUnit: 'minute' });
  const firm = judged({ state: 'locked', mode: 'compliance', untilNs, readNs });
  assert.deepEqual([firm?.state, firm?.reached], ['met', `bucket until ${until} (read 3 h ago)`]);
  const weak = judged({ state: 'locked', mode: 'governance', untilNs, readNs });
  assert.deepEqual(
    [weak?.state, weak?.reached],
    ['at risk', `bucket until ${until}, not against an admin (read 3 h ago)`],
  );
  const over = judged({ state: 'locked', mode: 'compliance', untilNs, readNs }, now + 25n * hour);
  assert.deepEqual([over?.state, over?.reached], ['broken', `bucket NOT LOCKED since ${until}`]);
  const none = judged({ state: 'not locked', lacking: 'it keeps no versions' });
  assert.deepEqual([none?.state, none?.reached], ['broken', 'bucket NOT LOCKED: it keeps no versions']);
  assert.equal(judged({ state: 'unknown', reason: 'nobody answers' })?.state, 'unknown');
});

test('a proof that a repository out of reach may hold is unknown, not broken; a failed one stays broken', () => {
  assert.equal(states({ points: [point(1, { disk: stored })], unknown: ['bucket'] })['proof'], 'unknown');
  assert.equal(states({ points: [point(1, { disk: proven(30) })], unknown: ['bucket'] })['proof'], 'unknown');
  assert.equal(states({ points: [point(1, { disk: proven(2) })], unknown: ['bucket'] })['proof'], 'met');
  const failed: Proof = { state: 'failed', level: 'restore', timeNs: now };
  assert.equal(states({ points: [point(1, { disk: failed })], unknown: ['bucket'] })['proof'], 'broken');
});

test('a proof ages, belongs to one copy, and a failed one is never hidden by an older good one', () => {
  assert.equal(states({ points: [point(1, { disk: proven(30), bucket: stored })] })['proof'], 'broken');
  const half = states({ points: [point(1, { disk: proven(2), bucket: stored })] });
  assert.deepEqual([half['proof'], half['proof-each']], ['met', 'broken']);
  assert.equal(states({ points: [point(1, { disk: proven(2) })], unknown: ['bucket'] })['proof-each'], 'unknown');
  const failed: Proof = { state: 'failed', level: 'restore', timeNs: now };
  const points = [point(3, { disk: proven(3) }), point(1, { disk: failed })];
  assert.equal(states({ points })['proof'], 'broken');
  const structure: Proof = { state: 'verified', level: 'structure', timeNs: now };
  assert.equal(states({ points: [point(1, { disk: structure })] })['proof'], 'broken');
});

test('what is dated in the future by a wrong clock neither meets an RPO nor proves a copy', () => {
  const ahead = [point(-9000, { disk: stored })];
  assert.equal(states({ points: ahead })['rpo'], 'unknown');
  assert.equal(states({ points: [point(5, { disk: stored }), ...ahead] })['rpo'], 'broken');
  assert.equal(states({ points: [point(1, { disk: stored }), ...ahead] })['rpo'], 'met');
  assert.equal(states({ points: [point(-0.05, { disk: stored })] })['rpo'], 'met');
  assert.equal(
    states({ points: [point(1, { disk: proven(30) }), point(1, { disk: proven(-9000) })] })['proof'],
    'broken',
  );
});

test('where all that was proven is dated in the future, nobody knows when it was', () => {
  const [reached] = judge(
    policy,
    'shop',
    { points: [point(1, { disk: proven(-9000) })], unknown: [], restoreSeconds: undefined },
    now,
  ).filter(({ objective }) => objective === 'proof');
  assert.deepEqual(
    [reached?.state, reached?.reached],
    ['unknown', 'not known: what was proven is dated in the future'],
  );
  const both = states({ points: [point(1, { disk: proven(-9000), bucket: proven(-9000) })] });
  assert.deepEqual([both['proof'], both['proof-each']], ['unknown', 'unknown']);
  const half = states({ points: [point(1, { disk: proven(-9000), bucket: stored })] });
  assert.deepEqual([half['proof'], half['proof-each']], ['unknown', 'broken']);
  const failed: Proof = { state: 'failed', level: 'restore', timeNs: now };
  const bad = states({ points: [point(1, { disk: proven(-9000), bucket: failed })] });
  assert.deepEqual([bad['proof'], bad['proof-each']], ['broken', 'broken']);
});

test('a copy that failed where less was looked at is no better than one that failed a restore', () => {
  const failed: Proof = { state: 'failed', level: 'data', timeNs: now };
  const points = [point(3, { disk: proven(3) }), point(1, { disk: failed })];
  assert.equal(states({ points })['proof'], 'broken');
});

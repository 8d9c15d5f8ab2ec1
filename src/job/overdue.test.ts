import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { budget } from '../../test/budget.ts';
import { loadPolicy } from '../policy/load.ts';
import type { Policy } from '../policy/policy.ts';
import type { RecordFacts, StoredRecord } from '../record/record.ts';
import { VerificationLog, type OverdueVerification } from './overdue.ts';

const [hour, day] = [3_600_000, 86_400_000];
/** A Monday, at midnight. */
const start = Date.parse('2026-06-01T00:00:00Z');

function policyWith(...verify: readonly string[]): Policy {
  const backups = 'hourly: { every: 1h, to: { near: { keep: { last: 7 } }, far: { keep: { last: 7 } } } }';
  const { policy, problems } = loadPolicy(`version: 1
repositories:
  near: { url: /backups/near, password: { env: PASSWORD } }
  far: { url: /backups/far, password: { env: PASSWORD } }
components:
  shop: { files: { paths: [/srv] }, backups: { ${backups} }, verify: [${verify.join(', ')}] }
`);
  assert.ok(policy, JSON.stringify(problems));
  return policy;
}

function record(ms: number, facts: Partial<RecordFacts> = {}): StoredRecord {
  const known = { kind: 'run', component: 'shop', actor: { id: 'ops', via: 'cron' }, data: {} } as const;
  const place = { name: '', writer: 'host', sequence: 1, previous: '', hash: '', signer: '' };
  return { ...known, ...place, timeNs: BigInt(ms) * 1_000_000n, ...facts };
}

function verified(ms: number, level = 'restore', repository = 'near', outcome = 'verified'): StoredRecord {
  return record(ms, { kind: 'verification', repository, data: { outcome, level } });
}

function overdueAt(nowMs: number, policy: Policy, records: readonly StoredRecord[]): readonly OverdueVerification[] {
  const log = new VerificationLog(BigInt(nowMs) * 1_000_000n);
  for (const one of records) log.add(one);
  return log.overdue(policy);
}

test('a verification that never ran is named with the time at which it was due, from the first record on', () => {
  const policy = policyWith('{ every: 1d }', '{ at: "Sun 03:00", do: data, from: far }');
  const begun = [record(start)];
  assert.deepEqual(overdueAt(start + day + 12 * hour, policy, begun), []);
  const one = { component: 'shop', number: 1, level: 'restore', from: 'nearest', lastMs: undefined };
  const first = { ...one, dueMs: start + day, toleranceMs: 12 * hour };
  assert.deepEqual(overdueAt(start + day + 13 * hour, policy, begun), [first]);
  const sunday = start + 6 * day + 3 * hour;
  const second = { ...one, number: 2, level: 'data', from: 'far', dueMs: sunday, toleranceMs: day };
  assert.deepEqual(overdueAt(sunday + day + hour, policy, begun), [first, second]);
  assert.deepEqual(overdueAt(sunday + day + hour, policy, []), []);
});

test('one that failed has run; one that could not be done, went less far, or was of another copy has not', () => {
  const policy = policyWith('{ every: 1d, do: data, from: far }');
  const nowMs = start + 10 * day;
  const last = (...records: readonly StoredRecord[]): unknown =>
    overdueAt(nowMs, policy, [record(start), ...records]).map(({ lastMs }) => lastMs);
  assert.deepEqual(last(verified(nowMs - day, 'restore', 'far', 'failed')), []);
  assert.deepEqual(last(verified(nowMs - day, 'data', 'far')), []);
  assert.deepEqual(last(verified(nowMs - day, 'structure', 'far')), [undefined]);
  assert.deepEqual(last(verified(nowMs - day, 'restore', 'near')), [undefined]);
  assert.deepEqual(last(verified(nowMs - day, 'data', 'far', 'could not verify')), [undefined]);
  const days = [2, 5, 3].map((ago) => verified(nowMs - ago * day, 'data', 'far'));
  assert.deepEqual(last(...days), [nowMs - 2 * day]);
});

test('what the policy wants since yesterday is not missed for the years before', () => {
  const policy = policyWith('{ every: 1w }');
  const nowMs = start + 300 * day;
  const changedAt = (ms: number, data: RecordFacts['data']): StoredRecord =>
    record(ms, { kind: 'configuration', component: '@repository', data });
  const since = (data: RecordFacts['data']): number =>
    overdueAt(nowMs, policy, [record(start), changedAt(nowMs - day, data)]).length;
  assert.equal(since({ paths: ['components.shop.verify'], changed: 1 }), 0);
  assert.equal(since({ paths: ['timezone'], changed: 800 }), 0);
  assert.equal(since({ paths: ['components.mail.verify', 'strict'], changed: 2 }), 1);
  assert.equal(since({ first: true }), 1);
});

test('whoever verifies in time is never accused, whatever the order of records; one gap beyond the tolerance is found', () => {
  const schedules = ['{ every: 6h }', '{ every: 1d }', '{ at: "02:00" }', '{ cron: "30 4 * * 1,4" }', '{ every: 2w }'];
  const due = { '{ every: 6h }': 6, '{ every: 1d }': 24, '{ at: "02:00" }': 24, '{ every: 2w }': 336 } as const;
  const policies = new Map(schedules.map((schedule) => [schedule, policyWith(schedule)]));
  fc.assert(
    fc.property(
      fc.constantFrom(...schedules),
      fc.array(fc.double({ min: 0.1, max: 1, noNaN: true }), { minLength: 1, maxLength: 60 }),
      fc.infiniteStream(fc.nat()),
      (schedule, gaps, order) => {
        const everyMs = (Object.entries(due).find(([text]) => text === schedule)?.[1] ?? 48) * hour;
        const times = gaps.reduce<number[]>((all, gap) => [...all, (all.at(-1) ?? start) + gap * everyMs], []);
        const records = [record(start), ...times.map((ms) => verified(Math.round(ms)))];
        const mixed = records.toSorted(() => ((order.next().value ?? 0) % 2) - 0.5);
        const lastMs = Math.round(times.at(-1) ?? start);
        const policy = policies.get(schedule);
        assert.ok(policy);
        assert.deepEqual(overdueAt(lastMs + everyMs, policy, mixed), []);
        const [missed] = overdueAt(lastMs + 30 * day, policy, mixed);
        assert.equal(missed?.lastMs, lastMs);
      },
    ),
    { numRuns: budget.propertyRuns },
  );
});

test('a clock that once went years ahead hides nothing', () => {
  const policy = policyWith('{ every: 1d }');
  const records = [record(start), verified(start + 3650 * day)];
  assert.equal(overdueAt(start + 10 * day, policy, records).length, 1);
});

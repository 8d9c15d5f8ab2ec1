import assert from 'node:assert/strict';
import { test } from 'node:test';
import { elsewhereKind } from '../../test/support/elsewhere.ts';
import type { ExternalPoint, FoundIn } from '../point/point.ts';
import { loadPolicy } from '../policy/load.ts';
import type { StoredRecord } from '../record/record.ts';
import { goneFrom } from './gone.ts';

const { policy } = loadPolicy(
  `version: 1
repositories: { near: { url: /near, password: { env: P } } }
components:
  search:
    elsewhere: { folder: /engine, places: [here, there] }
    backups: { r: { every: 1d, to: { here: { keep: { last: 2 } }, there: { keep: { last: 2 } } } } }
`,
  { elsewhere: elsewhereKind },
);

function timeNs(day: number): bigint {
  return BigInt(Date.UTC(2026, 0, day)) * 1_000_000n;
}

function pointOf(day: number): ExternalPoint {
  return { identity: `p${day}`, rule: 'r', method: '', timeNs: timeNs(day), sizeBytes: undefined };
}

type Told = Pick<StoredRecord, 'kind' | 'repository' | 'data'>;

function made(day: number): Told {
  const time = new Date(Date.UTC(2026, 0, day)).toISOString();
  return { kind: 'run', repository: 'here', data: { held: 'external', rule: 'r', point: `p${day}`, time } };
}

function moved(kind: 'copy' | 'forget', repository: string, ...days: readonly number[]): Told {
  return { kind, repository, data: { held: 'external', rule: 'r', points: days.map((day) => `p${day}`) } };
}

/** Place and identity of what is gone. */
function gone(told: readonly Told[], listed: Readonly<Record<string, readonly number[]>>): readonly string[] {
  assert.ok(policy);
  const place = { actor: { id: 'ann', via: 'cli' }, component: 'search', name: '', writer: 'w', hash: '' } as const;
  const records = told.map((one, at) => ({
    ...place,
    ...one,
    timeNs: BigInt(at),
    sequence: at,
    previous: '',
    signer: '',
  }));
  const found: readonly FoundIn[] = Object.entries(listed).map(([repository, days]) => ({
    repository,
    component: 'search',
    external: days.map(pointOf),
  }));
  return goneFrom(policy, records, found, timeNs(20)).map(({ repository, identity }) => `${repository} ${identity}`);
}

test('gone is what was made or copied, is listed no more, and was not expired by us', () => {
  assert.deepEqual(gone([made(1)], { here: [1], there: [] }), []);
  assert.deepEqual(gone([made(1)], { here: [], there: [] }), ['here p1']);
  assert.deepEqual(gone([made(1), moved('forget', 'here', 1)], { here: [], there: [] }), []);
  assert.deepEqual(gone([made(1), moved('copy', 'there', 1)], { here: [1], there: [] }), ['there p1']);
  assert.deepEqual(gone([made(1), moved('copy', 'there', 1), moved('forget', 'there', 1)], { here: [], there: [] }), [
    'here p1',
  ]);
  assert.deepEqual(gone([moved('forget', 'here', 1), made(1)], { here: [], there: [] }), ['here p1']);
});

test('a place that could not be asked has lost nothing; what nothing would keep any more is not missed', () => {
  assert.deepEqual(gone([made(1)], { there: [] }), []);
  assert.deepEqual(gone([made(1), made(2), made(3)], { here: [3] }), ['here p2']);
  assert.deepEqual(gone([made(1), made(2), made(3)], { here: [2, 3] }), []);
});

test('records of repositories, of other rules and of points that nobody told the time of say nothing', () => {
  const inRepository: Told = { kind: 'run', repository: 'near', data: { rule: 'r', snapshot: 'p1' } };
  const otherRule: Told = { ...made(1), data: { ...made(1).data, rule: 'other' } };
  assert.deepEqual(gone([inRepository, otherRule, moved('copy', 'there', 9)], { here: [], there: [] }), []);
});

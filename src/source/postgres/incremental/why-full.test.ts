import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serverFacts as facts } from '../../../../test/support/server-facts.ts';
import type { Description } from '../description.ts';
import { whyFull, type Now } from './why-full.ts';

const day = 86_400_000_000_000n;
const parent: Description = {
  format: 1,
  version: '18.4',
  major: 18,
  systemIdentifier: '7',
  timeline: 1,
  startLsn: '0/2000028',
  endLsn: '0/2000100',
  walSegmentBytes: 16_777_216,
  dataDirectory: '/data',
  dataChecksums: 'right',
  tablespaces: [],
  configuration: [],
  database: 'postgres',
  superuser: 'postgres',
  capacities: {},
  timeNs: String(100n * day),
};
const now: Now = { facts, systemIdentifier: '7', timeline: 1, summarizes: true, nowNs: 101n * day };

test('what changed since the parent is enough for a server that knows it, and for nobody else', () => {
  assert.equal(whyFull(parent, now), undefined);
  const reasons = [
    whyFull(undefined, now),
    whyFull(parent, { ...now, summarizes: false }),
    whyFull(parent, { ...now, systemIdentifier: '8' }),
    whyFull(parent, { ...now, timeline: 2 }),
    whyFull({ ...parent, major: 17 }, now),
    whyFull({ ...parent, dataChecksums: 'wrong' }, now),
    whyFull({ ...parent, dataChecksums: 'off' }, now),
    whyFull(parent, { ...now, facts: { ...facts, dataChecksums: 'off' } }),
    whyFull(parent, { ...now, nowNs: 99n * day }),
    whyFull({ ...parent, timeNs: undefined }, now),
  ];
  for (const reason of reasons) assert.equal(typeof reason, 'string');
  assert.equal(new Set(reasons).size, reasons.length - 2, 'each says why; checksums and age each in two ways');
});

test('at least once a week everything is sent, however many backups were merged since', () => {
  const merged = { fullNs: String(100n * day), sinceFull: 90 };
  assert.equal(whyFull({ ...parent, merged }, { ...now, nowNs: 107n * day - 1n }), undefined);
  assert.match(whyFull({ ...parent, merged }, { ...now, nowNs: 107n * day }) ?? '', /7 days/);
});

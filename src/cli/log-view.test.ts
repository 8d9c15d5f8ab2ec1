import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Left } from '../log/log.ts';
import type { RecoverablePoint } from '../point/point.ts';
import type { LogsOutcome } from '../job/logs.ts';
import { logLines, logRecord } from './log-view.ts';

const base: RecoverablePoint = {
  ...{ component: 'shop-db', rule: 'full', method: 'physical', identity: 'a'.repeat(64), timeNs: 0n, sizeBytes: 1 },
  ...{ log: { stream: '7', epoch: 1, from: 0n, to: 2n }, copies: [] },
};

function logWith(left: readonly Left[]): LogsOutcome['logs'][number] {
  const segments = [
    { epoch: 1, from: 0n, to: 64n },
    { epoch: 2, from: 32n, to: 80n },
  ];
  const listing = { segments, partials: [], gaps: [], histories: [2], left, pieces: [] };
  const log = { component: 'shop-db', repository: 'near', stream: '7', listing, histories: [] };
  const ranges = segments.map((extent) => ({
    ...{ log, base, newest: extent, last: extent, untilNs: undefined, storedNs: undefined },
    ...{ epoch: extent.epoch, from: 2n, to: extent.to },
  }));
  const signs = { arrived: [], seen: [], left };
  return { ...log, ranges, signs, endStoredNs: undefined, sighting: undefined, lastGap: undefined };
}

test('a timeline that was left is called so where its moments are listed, until it goes on behind that', () => {
  const lines = (left: readonly Left[]): string => logLines(logWith(left), String).join('\n');
  assert.match(lines([{ epoch: 2, at: 80n }]), /to 64 on timeline 1\n.*to 80 on timeline 2, which was left$/);
  assert.match(lines([{ epoch: 2, at: 70n }]), /to 80 on timeline 2$/);
  const record = JSON.stringify(logRecord(logWith([{ epoch: 2, at: 80n }]), String));
  assert.match(record, /"epoch":1,[^}]*"left":false.*"epoch":2,[^}]*"left":true/);
});

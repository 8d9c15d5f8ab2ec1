import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeWal, type WalRecordToWrite } from '../../../../test/support/wal-writer.ts';
import type { LogReader } from '../../recovery.ts';
import { surveyLog } from './survey.ts';

const segmentBytes = 2 ** 20;
const start = 0x300_0000n;
const record = (bytes: number): WalRecordToWrite => ({ manager: 10, info: 0, xid: 3, data: Buffer.alloc(bytes, 5) });
const { segments, offsets } = writeWal({
  ...{ major: 18, timeline: 1, systemIdentifier: 9n, segmentBytes, start },
  records: [record(500_000), record(400_000), record(200_000), record(100)],
});
const begins = (index: number): bigint => start + BigInt(offsets[index] ?? 0);

/** As many segments as are held, without anything noted of them. */
function logOf(count: number): LogReader {
  const froms = Array.from({ length: count }, (_, index) => start + BigInt(index * segmentBytes));
  return {
    from: start,
    order: froms.map((from) => ({ epoch: 1, from, to: from + BigInt(segmentBytes) })),
    segment: async (_epoch, from) => segments[froms.indexOf(from)],
    segmentInto: async () => assert.fail('nothing is written'),
    history: async () => undefined,
    about: async () => undefined,
  };
}

const latest = { moment: { kind: 'latest' }, edge: 'included' } as const;

test('where a segment is the last that is held, the record that its end cuts in two is no part of the log', async () => {
  assert.equal((await surveyLog(latest, logOf(1))).end, begins(1));
});

test('where the next segment is held, the log goes on to the last record of that', async () => {
  const { end, version } = await surveyLog(latest, logOf(2));
  assert.deepEqual([end, version], [begins(3), 18]);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { writeWal, type WalRecordToWrite } from '../../../../test/support/wal-writer.ts';
import { parseFields } from '../../../bytes/fields.ts';
import { segmentFacts, type SegmentFacts } from './segment.ts';
import { readSidecar, sidecarOf } from './sidecar.ts';
import { mostEvents, recordBetween, summarize, type LogSummary } from './summary.ts';
import { Pages, walkRecords } from './walk.ts';

const mib = 2 ** 20;
const start = 0x1_0300_0000n;
const base = { major: 18, timeline: 1, systemIdentifier: 9n, segmentBytes: mib, start } as const;
const names = ['000000010000000100000030', '000000010000000100000031', '000000010000000100000032'] as const;

function written(records: readonly WalRecordToWrite[], major = 18): readonly (readonly [SegmentFacts, Buffer])[] {
  const { segments } = writeWal({ ...base, major, records });
  return segments.map((bytes, index) => [segmentFacts(names[index] ?? '', bytes), bytes] as const);
}

function summaries(records: readonly WalRecordToWrite[], major = 18): readonly LogSummary[] {
  return written(records, major).map(([facts, bytes]) => summarize(facts, bytes));
}

const filler = (bytes: number): WalRecordToWrite => ({ manager: 10, info: 0, xid: 3, data: Buffer.alloc(bytes, 5) });
const year2000Us = 946_684_800_000_000n;

function time(us: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(us - year2000Us);
  return bytes;
}

function commit(xid: number, timeUs: bigint, moreBytes = 0): WalRecordToWrite {
  return { manager: 1, info: 0, xid, data: Buffer.concat([time(timeUs), Buffer.alloc(moreBytes)]) };
}

test('each record is found where it was written, whatever their lengths, across pages and segments', () => {
  const lengths = fc.array(fc.oneof(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 300_000 })), {
    minLength: 1,
    maxLength: 12,
  });
  fc.assert(
    fc.property(lengths, (sizes) => {
      const records = sizes.map((size, index) => ({ manager: 10, info: 0, xid: index, data: Buffer.alloc(size, 9) }));
      const { segments, offsets } = writeWal({ ...base, records });
      const found: number[] = [];
      for (const [index, bytes] of segments.entries()) {
        const facts = segmentFacts(names[index] ?? '', bytes);
        const all = walkRecords(
          new Pages(facts, bytes),
          () => true,
          ({ offset }) => found.push(offset + index * mib),
        );
        if (all.tail !== undefined) found.push(all.tail.offset + index * mib);
      }
      assert.deepEqual(found, offsets);
    }),
    { numRuns: 60 },
  );
});

test('the ends of transactions are gathered with their times, which need not ascend', () => {
  const abort = { ...commit(12, 5_000_000n), info: 0x20 };
  const [summary] = summaries([commit(10, 3_000_000n), commit(11, 1_000_000n), abort, commit(14, 2_000_000n)]);
  const endings = summary?.endings;
  assert.deepEqual([endings?.count, endings?.first.xid, endings?.last.xid], [4, 10, 14]);
  assert.deepEqual([endings?.earliestNs, endings?.latestNs], [1_000_000_000n, 5_000_000_000n]);
  assert.equal(endings?.lastCommit?.timeNs, 2_000_000_000n);
  assert.deepEqual(endings?.committed, {
    ranges: [
      [10, 11],
      [14, 14],
    ],
    precision: 'exact',
  });
  assert.equal(summary?.how, 'ended');
  assert.equal(summary?.endLsn, endings?.last.endLsn);
});

test('a commit that the end of a segment cuts in two is told by its two neighbours alone', () => {
  for (const short of [8, 16, 24, 32, 40]) {
    const beforeIt = mib - 40 - 127 * 24 - short; // the pages' headers, and what is left for the record
    const [before, after] = summaries([filler(beforeIt - 29), commit(77, 4_000_000n, 2000), commit(78, 5_000_000n)]);
    assert.ok(before !== undefined && after !== undefined);
    assert.deepEqual([before.endings, before.tail?.heldBytes, before.how], [undefined, short, 'full']);
    const between = recordBetween(before, after, 18);
    assert.ok(between?.kind === 'commit');
    assert.deepEqual([between.xid, between.timeNs, between.lsn], [77, 4_000_000_000n, before.lastLsn]);
    assert.equal(between.endLsn, after.endings?.first.lsn);
    assert.equal(after.firstPrevious, before.lastLsn);
    const [, other] = summaries([filler(beforeIt - 29), commit(77, 4_000_000n, 3000)]);
    assert.equal(recordBetween(before, other ?? before, 18), undefined, 'another rest is not its rest');
  }
});

test('the number of a transaction that was prepared stands behind lists in its record', () => {
  const u32 = (...values: readonly number[]): Buffer => Buffer.from(Uint32Array.from(values).buffer);
  const flags = 1 | 2 | 4 | 8 | 0x10 | 0x100;
  for (const [major, statistic] of [
    [15, 12],
    [18, 16],
  ] as const) {
    const lists = [u32(5, 6), u32(2, 71, 72), u32(1, 1, 2, 3), u32(1), Buffer.alloc(statistic), u32(1, 0, 0, 0, 0)];
    const data = Buffer.concat([time(9_000_000n), u32(flags), ...lists, u32(4242)]);
    const [summary] = summaries([{ manager: 1, info: 0x80 | 0x30, xid: 0, data }], major);
    assert.deepEqual(summary?.endings?.committed.ranges, [[4242, 4242]]);
  }
});

test('restore points, tablespaces with their paths, databases, capacities and checkpoints are told', () => {
  const text = (value: string): Buffer => Buffer.from(`${value}\0`);
  const u32 = (...values: readonly number[]): Buffer => Buffer.from(Uint32Array.from(values).buffer);
  const [summary] = summaries([
    {
      manager: 0,
      info: 0x70,
      xid: 0,
      data: Buffer.concat([time(1_000_000n), text('before upgrade'), Buffer.alloc(40)]),
    },
    { manager: 5, info: 0, xid: 9, data: Buffer.concat([u32(16_400), text('/srv/fast')]) },
    { manager: 4, info: 0x10, xid: 9, data: u32(16_401, 1663) },
    { manager: 4, info: 0x20, xid: 9, data: u32(16_401, 1, 1663) },
    { manager: 0, info: 0x60, xid: 0, data: u32(300, 8, 10, 5, 64, 1) },
    { manager: 0, info: 0x10, xid: 0, data: Buffer.concat([u32(0x28, 1, 1), Buffer.alloc(80)]) },
    { manager: 0, info: 0x40, xid: 0, data: Buffer.alloc(0) },
  ]);
  const told = summary?.events.map(({ lsn: _lsn, endLsn: _endLsn, ...event }) => event);
  assert.deepEqual(told?.slice(0, 4), [
    { kind: 'restore-point', timeNs: 1_000_000_000n, name: 'before upgrade' },
    { kind: 'tablespace-created', oid: 16_400, path: '/srv/fast' },
    { kind: 'database-created', oid: 16_401, tablespace: 1663 },
    { kind: 'database-dropped', oid: 16_401 },
  ]);
  const capacities = { max_connections: 300, max_worker_processes: 8, max_wal_senders: 10 };
  assert.deepEqual(told?.[4], {
    kind: 'capacities',
    capacities: { ...capacities, max_prepared_transactions: 5, max_locks_per_transaction: 64 },
  });
  assert.deepEqual(told?.slice(5), [{ kind: 'checkpoint', redo: 0x1_0000_0028n, timeline: 1 }, { kind: 'switch' }]);
  assert.equal(summary?.how, 'switched');
});

test('up to 14 databases are dropped by the record that makes one since then', () => {
  const [summary] = summaries(
    [{ manager: 4, info: 0x10, xid: 9, data: Buffer.from(Uint32Array.of(16_401, 0).buffer) }],
    14,
  );
  assert.deepEqual(summary?.events[0]?.kind, 'database-dropped');
});

test('more events than a segment should have are counted, and told as left out', () => {
  const point = { manager: 5, info: 0x10, xid: 1, data: Buffer.alloc(4) };
  const [summary] = summaries(Array.from({ length: mostEvents + 7 }, () => point));
  assert.deepEqual([summary?.events.length, summary?.eventsLeftOut], [mostEvents, 7]);
});

test('in a segment that is used again the log ends before the pages of its former use', () => {
  const [[facts, bytes] = []] = written([filler(100), filler(20_000), filler(30)]);
  const [[, older] = []] = written([filler(40), ...Array.from({ length: 900 }, () => filler(900))]);
  assert.ok(facts !== undefined && bytes !== undefined && older !== undefined);
  const used = Buffer.concat([bytes.subarray(0, 8192), older.subarray(8192)]);
  for (let page = 8192; page < mib; page += 8192) used.writeBigUInt64LE(start - BigInt(mib) + BigInt(page), page + 8);
  const summary = summarize(facts, used);
  assert.deepEqual(
    [summary.how, summary.endLsn],
    ['broken', start + 40n + 128n],
    'the record that goes on is not whole',
  );
  assert.equal(summary.lastLsn, start + 40n);
});

test('a record that was begun, lost and overwritten after a crash is passed over', () => {
  const [[facts, bytes] = []] = written([filler(100), filler(20_000), commit(5, 1_000_000n)]);
  assert.ok(facts !== undefined && bytes !== undefined);
  bytes.fill(0, 8192 + 24);
  bytes.writeUInt16LE(8, 8192 + 2);
  bytes.writeUInt32LE(0, 8192 + 16);
  const [, another = Buffer.alloc(0)] = written([commit(6, 2_000_000n)])[0] ?? [];
  another.copy(bytes, 8192 + 24, 40, 40 + 40);
  bytes.writeBigUInt64LE(start + 40n, 8192 + 24 + 8);
  const summary = summarize(facts, bytes);
  assert.deepEqual([summary.endings?.first.xid, summary.how], [6, 'ended']);
});

test('a sidecar gives back what was noted; one of a later version, or of another kind, is refused', () => {
  const records = [commit(77, 4_000_000n), { manager: 5, info: 0, xid: 9, data: Buffer.from('aaaa/srv/x\0') }];
  const more = [
    { manager: 0, info: 0x60, xid: 0, data: Buffer.alloc(24, 1) },
    { manager: 0, info: 0x90, xid: 0, data: Buffer.alloc(16, 1) },
    { manager: 0, info: 0x10, xid: 0, data: Buffer.alloc(88, 1) },
    { manager: 0, info: 0x70, xid: 0, data: Buffer.concat([time(1n), Buffer.alloc(64, 66)]) },
    { manager: 4, info: 0x10, xid: 0, data: Buffer.alloc(8, 1) },
    { manager: 4, info: 0x20, xid: 0, data: Buffer.alloc(8, 1) },
  ];
  for (const summary of summaries([...records, ...more, filler(mib), commit(78, 1n)])) {
    const fields = parseFields(Buffer.from(JSON.stringify(sidecarOf(18, summary))), 'it');
    const read = readSidecar(fields, 'it');
    assert.deepEqual(parseFields(Buffer.from(JSON.stringify(sidecarOf(read.major, read.summary))), 'it'), fields);
    assert.deepEqual([read.summary.events, read.summary.endings], [summary.events, summary.endings]);
    assert.throws(() => readSidecar({ ...fields, version: 2 }, 'it'), { code: 'unsupported' });
    assert.throws(() => readSidecar({ ...fields, events: [{ kind: 'other' }] }, 'it'), { code: 'damaged' });
    assert.throws(() => readSidecar({ ...fields, how: 'well' }, 'it'), { code: 'damaged' });
    assert.throws(() => readSidecar({ ...fields, start: 'x' }, 'it'), { code: 'damaged' });
  }
});

test('whatever the bytes are, a summary ends, and throws nothing', () => {
  const [[facts, bytes] = []] = written([
    ...Array.from({ length: 200 }, (_, index) => commit(index + 3, BigInt(index))),
    { manager: 0, info: 0x60, xid: 0, data: Buffer.alloc(24, 1) },
    { manager: 5, info: 0, xid: 0, data: Buffer.alloc(40, 65) },
    filler(60_000),
    commit(9000, 1n, 5000),
  ]);
  assert.ok(facts !== undefined && bytes !== undefined);
  const end = 90_000;
  const change = fc.record({ at: fc.nat(end), value: fc.nat(255) });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 30 }), fc.nat(end), (changes, size) => {
      const copy = Buffer.from(bytes);
      for (const { at, value } of changes) copy[at] = value;
      for (const part of [copy, copy.subarray(0, size)]) {
        const { endLsn } = summarize(facts, part);
        assert.ok(endLsn >= start && endLsn <= start + BigInt(part.length));
      }
    }),
    { numRuns: 300 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40_000 }), (random) => {
      const { endLsn } = summarize(facts, Buffer.concat([bytes.subarray(0, 40), random]));
      assert.ok(endLsn >= start);
    }),
    { numRuns: 100 },
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeWal } from '../../../../test/support/wal-writer.ts';
import { hasCode } from '../../../errors/error.ts';
import { parseSegmentName, segmentFacts } from './segment.ts';

const mib = 2 ** 20;
const record = { manager: 10, info: 0, xid: 7, data: Buffer.alloc(10) };

function segmentOf({ major = 15, timeline = 2, start = 0x1_0300_0000n, segmentBytes = mib } = {}): Buffer {
  const wal = { major, timeline, start, segmentBytes, systemIdentifier: 7_000_000_000_000_000_001n, records: [record] };
  return writeWal(wal).segments[0] ?? Buffer.alloc(0);
}

function refused(what: RegExp): (error: unknown) => boolean {
  return (error) => hasCode(error, 'source-failed') && what.test(error.message);
}

test('the header of a segment says its major, its cluster and its size, and fits its name', () => {
  for (const major of [14, 15, 16, 17, 18]) {
    const facts = segmentFacts('000000020000000100000030', segmentOf({ major }));
    assert.deepEqual(facts, {
      name: '000000020000000100000030',
      kind: 'whole',
      major,
      systemIdentifier: 7_000_000_000_000_000_001n,
      segmentBytes: mib,
      pageBytes: 8192,
      timeline: 2,
      start: 0x1_0300_0000n,
      end: 0x1_0310_0000n,
    });
  }
});

test('a segment whose end is not known yet is told apart by its name alone', () => {
  const facts = segmentFacts('000000020000000100000030.partial', segmentOf());
  assert.deepEqual([facts.name, facts.kind], ['000000020000000100000030', 'partial']);
});

test('a segment of a new timeline begins with pages of the one before; one of a later timeline is refused', () => {
  const bytes = segmentOf({ timeline: 2 });
  assert.equal(segmentFacts('000000030000000100000030', bytes).timeline, 3);
  assert.throws(() => segmentFacts('000000010000000100000030', bytes), refused(/timeline 2, later than/));
});

test('what is no whole segment of this name is refused, and said what is wrong with it', () => {
  const bytes = segmentOf();
  const name = '000000020000000100000030';
  const changed = (at: number, value: number): Buffer => {
    const copy = Buffer.from(bytes);
    copy[at] = value;
    return copy;
  };
  assert.throws(() => segmentFacts(name, Buffer.alloc(mib)), refused(/filled with zeros/));
  assert.throws(() => segmentFacts(name, bytes.subarray(0, 20)), refused(/cut off: it has 20 bytes/));
  assert.throws(() => segmentFacts(name, bytes.subarray(0, 4096)), refused(/has 4096 bytes.*have 1048576/));
  assert.throws(() => segmentFacts('000000020000000100000031', bytes), refused(/another part.*renamed/));
  assert.throws(() => segmentFacts('0000000200000000FFFFFFFF', bytes), refused(/another part.*renamed/));
  assert.throws(() => segmentFacts(name, changed(0, 1)), refused(/no log of PostgreSQL 14, 15, 16, 17, 18/));
  assert.throws(() => segmentFacts(name, changed(2, 0)), refused(/header that no segment/));
  assert.throws(() => segmentFacts(name, changed(35, 7)), refused(/header that no segment/));
  assert.throws(() => segmentFacts('00000002.history', bytes), refused(/not named as a segment/));
});

test('only the beginning of a segment is needed for its facts', () => {
  const facts = segmentFacts('000000020000000100000030', segmentOf().subarray(0, 40), mib);
  assert.equal(facts.major, 15);
});

test('the names of segments are parsed, and other files of the log are not', () => {
  assert.deepEqual(parseSegmentName('0000000A00000001000000FF'), { timeline: 10, high: 1, low: 255, kind: 'whole' });
  for (const other of ['0000000A.history', '0000000a00000001000000ff', '0000000A00000001000000FF.00000028.backup', ''])
    assert.equal(parseSegmentName(other), undefined);
});

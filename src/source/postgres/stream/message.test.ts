import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readMessage, standbyStatus } from './message.ts';

test('what the server sends of its log is read, as are its signs of life', () => {
  const log = Buffer.concat([
    Buffer.from('77' + '0000000002000028' + '0000000002000138' + '0000000000000000', 'hex'),
    Buffer.from('abc'),
  ]);
  assert.deepEqual(readMessage(log), {
    kind: 'log',
    from: 0x2000028n,
    serverEnd: 0x2000138n,
    bytes: log.subarray(25),
  });
  const alive = Buffer.from('6b' + '0000000102000138' + '0000000000000000' + '01', 'hex');
  assert.deepEqual(readMessage(alive), { kind: 'alive', serverEnd: 0x1_0200_0138n, reply: 'at once' });
});

test('anything else is refused', () => {
  for (const hex of ['', '78', '6b00', '77'])
    assert.throws(() => readMessage(Buffer.from(hex, 'hex')), { code: 'source-failed' });
});

test('a status says what was written and flushed, never that anything was applied', () => {
  const timeNs = (946_684_800n + 5n) * 1_000_000_000n;
  const bytes = standbyStatus({ written: 0x2000138n, flushed: 0x2000028n, timeNs, reply: 'wanted' });
  const fields = ['72', '0000000002000138', '0000000002000028', '0000000000000000', '00000000004c4b40', '01'];
  assert.equal(Buffer.from(bytes).toString('hex'), fields.join(''));
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { budget } from '../../../test/budget.ts';
import { blobIdOf, fileIdOf } from '../../bytes/ids.ts';
import { hasCode } from '../../errors/error.ts';
import { decodeJournal, encodeJournal, newJournalName, type WrittenJournal } from './journal.ts';

const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
const fileId = hash.map(fileIdOf);
const blobId = hash.map(blobIdOf);
const type = fc.constantFrom('data' as const, 'tree' as const);
const timeNs = fc.bigInt({ min: 0n, max: 4_000_000_000_000_000_000n });

const blob = fc
  .record(
    { id: blobId, type, offset: fc.nat(), length: fc.integer({ min: 32 }), plainLength: fc.integer({ min: 1 }) },
    { noNullPrototype: true },
  )
  .map((one) => ({ ...one, compressed: true }));

const plain = { noNullPrototype: true } as const;
const pack = fc.record(
  { id: fileId, blobs: fc.array(blob, { maxLength: 5 }), other: fc.constant({}), sizeBytes: fc.nat() },
  plain,
);
const journal: fc.Arbitrary<WrittenJournal> = fc.record(
  {
    name: timeNs.map(newJournalName),
    state: fc.constantFrom('marked' as const, 'dropped' as const),
    timeNs,
    snapshots: fc.array(fileId, { maxLength: 5 }),
    packs: fc.array(pack, { maxLength: 5 }),
    used: fc.array(fc.record({ type, id: blobId }, plain), { maxLength: 5 }),
  },
  plain,
);

test('a journal read back is what was written', () => {
  fc.assert(
    fc.property(journal, (written) => {
      assert.deepEqual(decodeJournal(encodeJournal(written), written.name), written);
    }),
    { numRuns: budget.propertyRuns },
  );
});

test('a journal under another name is no journal', () => {
  fc.assert(
    fc.property(journal, timeNs.map(newJournalName), (written, name) => {
      assert.throws(() => decodeJournal(encodeJournal(written), name), { code: 'damaged' });
    }),
    { numRuns: budget.propertyRuns },
  );
});

test('any JSON is a journal or is refused with a code', () => {
  const name = newJournalName(0n);
  const fields = fc.record(
    {
      version: fc.constantFrom<unknown>(1, 2, '1'),
      name: fc.constantFrom<unknown>(name, 'holdfast/prune/x', 7),
      state: fc.constantFrom<unknown>('marked', 'dropped', 'gone', null),
      time: fc.oneof<fc.Arbitrary<unknown>[]>(fc.constant('2026-01-01T00:00:00Z'), fc.jsonValue()),
      snapshots: fc.oneof<fc.Arbitrary<unknown>[]>(fc.array(fileId), fc.jsonValue()),
      packs: fc.jsonValue(),
      used: fc.oneof<fc.Arbitrary<unknown>[]>(fc.array(blobId.map((id) => `data ${id}`)), fc.jsonValue()),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.oneof(fields, fc.jsonValue()), (value) => {
      try {
        decodeJournal(Buffer.from(JSON.stringify(value)), name);
      } catch (error) {
        assert.ok(hasCode(error, 'damaged', 'unsupported'), String(error));
      }
    }),
    { numRuns: budget.fuzzRuns },
  );
});

test('a journal of a later version says so', () => {
  const name = newJournalName(0n);
  assert.throws(() => decodeJournal(Buffer.from(JSON.stringify({ version: 2, name })), name), { code: 'unsupported' });
});

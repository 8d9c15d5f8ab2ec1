import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { crc32cText } from '../../../bytes/crc32c.ts';
import { rawPath } from '../../../bytes/ids.ts';
import { ManifestReader, type ManifestFile } from '../manifest.ts';
import { makeManifest } from './make-manifest.ts';

const file = fc.record({
  path: fc.uint8Array({ minLength: 1, maxLength: 20 }).map((bytes) => rawPath(Buffer.from(bytes))),
  sizeBytes: fc.nat(),
  crc32c: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  mtimeNs: fc.bigInt({ min: 0n, max: 2n ** 61n }),
});

for (const major of [15, 17])
  test(`a manifest that is made for PostgreSQL ${major} reads as what it was made of`, () => {
    fc.assert(
      fc.property(fc.array(file), (files) => {
        const range = { timeline: 1, start: 0x2000028n, end: 0x2000100n };
        const told: ManifestFile[] = [];
        const reader = new ManifestReader((each) => told.push(each));
        for (const piece of makeManifest(files, { major, systemIdentifier: '7', range })) reader.add(piece);
        reader.end();
        const listed = files.map(({ path, sizeBytes, crc32c }) => ({ path, sizeBytes, crc32c: crc32cText(crc32c) }));
        assert.deepEqual(told, listed);
      }),
      { numRuns: 100 },
    );
  });

test('a manifest is written as the server writes it', () => {
  const files = [
    { path: rawPath(Buffer.from('PG_VERSION')), sizeBytes: 3, crc32c: 1, mtimeNs: 1_790_000_000_500_000_000n },
  ];
  const range = { timeline: 1, start: 0x2000028n, end: 0x2000100n };
  const pieces = [...makeManifest(files, { major: 17, systemIdentifier: '77', range })];
  const text = Buffer.concat(pieces).toString().split('\n').slice(0, -2).join('\n');
  assert.equal(
    text,
    `{ "PostgreSQL-Backup-Manifest-Version": 2,
"System-Identifier": 77,
"Files": [
{ "Path": "PG_VERSION", "Size": 3, "Last-Modified": "2026-09-21 14:13:20 GMT", "Checksum-Algorithm": "CRC32C", "Checksum": "01000000" }
],
"WAL-Ranges": [
{ "Timeline": 1, "Start-LSN": "0/2000028", "End-LSN": "0/2000100" }
],`,
  );
});

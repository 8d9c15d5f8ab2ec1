import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { hasCode } from '../../errors/error.ts';
import { ManifestReader, type ManifestFile } from './manifest.ts';

const lines = [
  '{ "PostgreSQL-Backup-Manifest-Version": 1,',
  '"Files": [',
  '{ "Path": "backup_label", "Size": 224, "Last-Modified": "2026-11-20 14:30:00 GMT", "Checksum-Algorithm": "CRC32C", "Checksum": "3dc4ad46" },',
  '{ "Encoded-Path": "6c6f672fff", "Size": 0, "Last-Modified": "2026-11-20 14:30:00 GMT", "Checksum-Algorithm": "CRC32C", "Checksum": "00000000" }',
  '],',
  '"WAL-Ranges": [',
  '{ "Timeline": 1, "Start-LSN": "0/2000028", "End-LSN": "0/2000100" }',
  '],',
  '',
].join('\n');

function signed(text: string): string {
  return `${text}"Manifest-Checksum": "${createHash('sha256').update(text).digest('hex')}"}\n`;
}

function read(text: string, pieceBytes = 7): readonly ManifestFile[] {
  const files: ManifestFile[] = [];
  const reader = new ManifestReader((file) => files.push(file));
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += pieceBytes) reader.add(bytes.subarray(at, at + pieceBytes));
  reader.end();
  return files;
}

test('a manifest tells its files, whatever pieces it comes in and whatever their names', () => {
  assert.deepEqual(read(signed(lines)), [
    { path: 'backup_label', sizeBytes: 224, crc32c: '3dc4ad46' },
    { path: 'log/\xff', sizeBytes: 0, crc32c: '00000000' },
  ]);
  assert.equal(read(signed(lines.replace('Version": 1', 'Version": 2'))).length, 2);
});

const damages = {
  'changed': signed(lines).replace('224', '225'),
  'cut off': lines,
  'of a later version': signed(lines.replace('Version": 1', 'Version": 3')),
  'without checksums': signed(lines.replace(', "Checksum-Algorithm": "CRC32C", "Checksum": "3dc4ad46"', '')),
  'followed by something': `${signed(lines)}{}\n`,
} as const;

for (const [how, text] of Object.entries(damages)) {
  test(`a manifest that is ${how} is refused`, () => {
    assert.throws(
      () => read(text),
      (error) => hasCode(error, 'source-failed'),
    );
  });
}

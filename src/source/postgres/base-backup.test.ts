import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backupParts, baseBackupCommand } from './base-backup.ts';
import type { Answer } from './replication.ts';

test('the command is in the grammar of the server’s major', () => {
  const options = { label: "it's", checkpoint: 'fast', maxRateKb: 1024 } as const;
  assert.equal(
    baseBackupCommand({ ...options, major: 14 }),
    "BASE_BACKUP LABEL 'it''s' PROGRESS FAST WAL NOWAIT MAX_RATE 1024 MANIFEST 'yes' MANIFEST_CHECKSUMS 'CRC32C'",
  );
  assert.equal(
    baseBackupCommand({ label: 'x', checkpoint: 'spread', major: 18 }),
    "BASE_BACKUP (LABEL 'x', PROGRESS, CHECKPOINT 'spread', WAL, WAIT false, MANIFEST 'yes', MANIFEST_CHECKSUMS 'CRC32C')",
  );
});

const bytes = (text: string): Answer => ({ kind: 'bytes', bytes: Buffer.from(text, 'latin1') });
const message = (text: string): Answer => ({
  kind: 'bytes',
  mark: text.charCodeAt(0),
  bytes: Buffer.from(text.slice(1), 'latin1'),
});
const rows = (...values: readonly (readonly (string | null)[])[]): readonly Answer[] => [
  ...values.map((each) => ({ kind: 'row', values: each }) as const),
  { kind: 'rows-end' },
];
const start = rows(['0/2000028', '1']);
const tablespaces = rows(['16385', '/elsewhere', '8'], [null, null, '24']);
const end = rows(['0/2000100', '1']);
const copied = (...inside: readonly Answer[]): readonly Answer[] => [
  { kind: 'copy-start' },
  ...inside,
  { kind: 'copy-end' },
];

async function parts(major: number, answers: readonly Answer[]): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const part of backupParts(stream(answers), major)) {
    if (part.kind === 'bytes') found.push(Buffer.from(part.bytes).toString());
    else if (part.kind === 'archive') found.push(`archive ${part.tablespace ?? 'base'}`);
    else found.push(part.kind);
  }
  return found;
}

async function* stream(answers: readonly Answer[]): AsyncGenerator<Answer> {
  yield* answers;
}

const expected = ['start', 'tablespaces', 'archive 16385', 'one', 'archive base', 'two', 'manifest', 'three', 'end'];

test('up to 14 each copy is an archive in the order of the tablespaces, and the last the manifest', async () => {
  const copies = ['one', 'two', 'three'].flatMap((text) => copied(bytes(text)));
  assert.deepEqual(await parts(14, [...start, ...tablespaces, ...copies, ...end]), expected);
});

test('from 15 on the messages of one copy say what they are', async () => {
  const messages = ['n16385.tar\0/elsewhere\0', 'done', 'p12345678', 'nbase.tar\0\0', 'dtwo', 'm', 'dthree'];
  const copy = copied(...messages.map(message));
  assert.deepEqual(await parts(15, [...start, ...tablespaces, ...copy, ...end]), expected);
  await assert.rejects(parts(15, [...start, ...tablespaces, ...copied(message('x'))]), /unknown kind/);
});

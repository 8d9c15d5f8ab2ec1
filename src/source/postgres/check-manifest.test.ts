import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { rawPathOf } from '../../bytes/ids.ts';
import { hasCode } from '../../errors/error.ts';
import { assertLogIsThere, checkedManifest } from './check-manifest.ts';
import { crc32c, crc32cText } from '../../bytes/crc32c.ts';
import { Spool } from './spool.ts';

const facts = { type: 'file', mode: 0o600, uid: 0, gid: 0, mtimeNs: 0n } as const;

/** A spool of what arrived, by path. */
function arrived(files: Readonly<Record<string, string>>): Spool {
  const spool = new Spool();
  for (const [path, content] of Object.entries(files)) {
    const stored = { ids: [], sizeBytes: content.length, newBlobs: 0, newBytes: 0, storedBytes: 0 };
    const crc = crc32c(0, Buffer.from(content));
    spool.addFile({ ...facts, path: rawPathOf(path), crc32c: crc, sizeBytes: content.length, stored });
  }
  return spool;
}

function manifestOf(files: Readonly<Record<string, string>>): string {
  const listed = Object.entries(files).map(([path, content]) => {
    const checksum = crc32cText(crc32c(0, Buffer.from(content)));
    return `{ "Path": "${path}", "Size": ${content.length}, "Checksum-Algorithm": "CRC32C", "Checksum": "${checksum}" }`;
  });
  const text = `{ "PostgreSQL-Backup-Manifest-Version": 1,\n"Files": [\n${listed.join(',\n')}\n],\n"WAL-Ranges": [\n],\n`;
  return `${text}"Manifest-Checksum": "${createHash('sha256').update(text).digest('hex')}"}\n`;
}

async function check(manifest: string, spool: Spool): Promise<string> {
  async function* stream(): AsyncGenerator<Uint8Array> {
    yield Buffer.from(manifest);
  }
  return Buffer.concat(await Array.fromAsync(checkedManifest(stream(), spool))).toString();
}

const sent = { 'PG_VERSION': '15\n', 'base/1/112': 'page' };

test('what arrived as the manifest says passes, the log beside it, and the manifest itself is handed on', async () => {
  using spool = arrived({ ...sent, 'pg_wal/000000010000000000000002': 'log' });
  assert.equal(await check(manifestOf(sent), spool), manifestOf(sent));
});

const differences = {
  'a file that is missing': { PG_VERSION: '15\n' },
  'a file that is shorter': { ...sent, 'base/1/112': 'pag' },
  'a file with another byte': { ...sent, 'base/1/112': 'pagf' },
  'a file that nobody listed': { ...sent, 'base/1/113': '' },
} as const;

for (const [what, files] of Object.entries(differences)) {
  test(`${what} is found`, async () => {
    using spool = arrived(files);
    await assert.rejects(check(manifestOf(sent), spool), (error) => hasCode(error, 'source-failed'));
  });
}

test('a backup that lacks a segment of its log is refused, with its name', () => {
  const range = { timeline: 1, start: 0x2000028n, end: 0x3000100n };
  const has = new Set(['pg_wal/000000010000000000000002']);
  assert.throws(() => assertLogIsThere(range, 2 ** 24, (path) => has.has(path)), /000000010000000000000003/);
  assertLogIsThere({ ...range, end: 0x3000000n }, 2 ** 24, (path) => has.has(path));
});

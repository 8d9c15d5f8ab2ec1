import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { crc32cText } from '../../../bytes/crc32c.ts';
import { lsnText, type WalRange } from '../lsn.ts';
import { isLog } from '../placing.ts';
import type { ManifestedFile } from '../spool.ts';

export interface ManifestFacts {
  readonly major: number;
  readonly systemIdentifier: string;
  readonly range: WalRange;
}

/**
 * A manifest as the server writes it (src/backend/backup/backup_manifest.c), which pg_verifybackup reads: version 1, and
 * from 17 on version 2. It lists every file but those of the log, and ends with the SHA-256 of its lines before.
 */
export function* makeManifest(files: Iterable<ManifestedFile>, facts: ManifestFacts): Generator<Uint8Array> {
  const hash = createHash('sha256');
  const hashed = (text: string): Uint8Array => {
    hash.update(text);
    return Buffer.from(text);
  };
  yield hashed(beginning(facts));
  let before = '\n';
  for (const file of files) {
    if (isLog(file.path)) continue;
    yield hashed(before + lineOf(file));
    before = ',\n';
  }
  yield hashed(end(facts.range));
  yield Buffer.from(`"Manifest-Checksum": "${hash.digest('hex')}"}\n`);
}

function beginning({ major, systemIdentifier }: ManifestFacts): string {
  const version = major < 17 ? '1' : `2,\n"System-Identifier": ${systemIdentifier}`;
  return `{ "PostgreSQL-Backup-Manifest-Version": ${version},\n"Files": [`;
}

function lineOf({ path, sizeBytes, mtimeNs, crc32c }: ManifestedFile): string {
  const bytes = Buffer.from(path, 'latin1');
  const name = isUtf8(bytes)
    ? `"Path": ${JSON.stringify(bytes.toString('utf8'))}`
    : `"Encoded-Path": "${bytes.toHex()}"`;
  const modified = `${Temporal.Instant.fromEpochMilliseconds(Number(mtimeNs / 1_000_000n))
    .toString({ smallestUnit: 'second' })
    .replace('T', ' ')
    .replace('Z', '')} GMT`;
  const checksum = `"Checksum-Algorithm": "CRC32C", "Checksum": "${crc32cText(crc32c)}"`;
  return `{ ${name}, "Size": ${sizeBytes}, "Last-Modified": "${modified}", ${checksum} }`;
}

function end({ timeline, start, end: stop }: WalRange): string {
  const range = `"Timeline": ${timeline}, "Start-LSN": "${lsnText(start)}", "End-LSN": "${lsnText(stop)}"`;
  return `\n],\n"WAL-Ranges": [\n{ ${range} }\n],\n`;
}

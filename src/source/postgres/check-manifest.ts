import { displayPath, type RawPath } from '../../bytes/ids.ts';
import { HoldfastError } from '../../errors/error.ts';
import { crc32cText } from '../../bytes/crc32c.ts';
import { segmentsOf, type WalRange } from './lsn.ts';
import { ManifestReader, type ManifestFile } from './manifest.ts';
import { isLog } from './placing.ts';
import type { Spool } from './spool.ts';
import { rawPathOf } from '../../bytes/ids.ts';

/** The file in which a data directory carries its manifest. */
export const manifestName = rawPathOf('backup_manifest');

/** Holds a manifest, as it passes by, against what arrived. Throws 'source-failed' at the first difference. */
export async function* checkedManifest(bytes: AsyncIterable<Uint8Array>, spool: Spool): AsyncGenerator<Uint8Array> {
  const reader = new ManifestReader((file) => assertArrived(file, spool));
  for await (const piece of bytes) {
    reader.add(piece);
    yield piece;
  }
  reader.end();
  assertAllListed(spool);
}

function assertArrived({ path, sizeBytes, crc32c }: ManifestFile, spool: Spool): void {
  const arrived = spool.list(path);
  if (arrived === undefined) throw differs(path, 'it did not arrive');
  if (arrived.sizeBytes !== sizeBytes) throw differs(path, `${arrived.sizeBytes} bytes arrived, of ${sizeBytes}`);
  if (crc32cText(arrived.crc32c) !== crc32c) throw differs(path, 'its checksum is another');
}

function assertAllListed(spool: Spool): void {
  for (const path of spool.unlisted()) if (!isLog(path)) throw differs(path, 'it arrived, and is not listed');
}

/** A copy starts by itself only with all of the log from where the backup began to where it ended. */
export function assertLogIsThere(range: WalRange, segmentBytes: number, has: (path: RawPath) => boolean): void {
  const missing = segmentsOf(range, segmentBytes).filter((name) => !has(rawPathOf(`pg_wal/${name}`)));
  if (missing.length === 0) return;
  throw new HoldfastError(
    'source-failed',
    `the server did not send all of the log that the backup needs: ${missing.slice(0, 3).join(', ')} of pg_wal`,
  );
}

function differs(path: RawPath, how: string): HoldfastError {
  return new HoldfastError(
    'source-failed',
    `what arrived is not what the server’s manifest says: ${displayPath(path)}: ${how}`,
  );
}

import { readFileSync } from 'node:fs';
import { crc32c } from '../../../bytes/crc32c.ts';
import { systemPath, type RawPath } from '../../../bytes/ids.ts';
import type { Clock } from '../../../clock/clock.ts';
import { HoldfastError } from '../../../errors/error.ts';

/** A cluster's pg_control (src/include/catalog/pg_control.h), as its bytes stood when their CRC was right. */
export interface Control {
  readonly bytes: Uint8Array;
  /** Decimal. */
  readonly systemIdentifier: string;
  /** Of the newest checkpoint. */
  readonly timeline: number;
  /** That which the cluster goes on with: a promotion is noted as the least end of recovery until the next checkpoint. */
  readonly goesOnAs: number;
}

/** Where the CRC stands, which is of all before it: by pg_control_version. */
const crcAt: ReadonlyMap<number, number> = new Map([
  [1300, 288],
  [1700, 288],
  [1800, 292],
]);

const mostTries = 50;
const betweenMs = 20;

/** The server writes it while it is read: it is read again until its CRC is right, for a second or so. */
export async function readControl(path: RawPath, clock: Clock, signal: AbortSignal): Promise<Control> {
  for (let tries = 0; tries < mostTries; tries++) {
    const control = parseControl(readFileSync(systemPath(path)));
    if (control !== undefined) return control;
    await clock.sleep(betweenMs, signal);
  }
  throw new HoldfastError('source-failed', 'global/pg_control: its checksum was wrong however often it was read');
}

/** undefined where the CRC is wrong; 'unsupported' where it is right, and the version isn't known. */
export function parseControl(bytes: Uint8Array): Control | undefined {
  if (bytes.length < 296) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const version = view.getUint32(8, true);
  const at = crcAt.get(version);
  if (at === undefined) {
    if (!isRightSomewhere(bytes)) return undefined;
    throw new HoldfastError('unsupported', `global/pg_control is of version ${version}, which is not known`);
  }
  if (crc32c(0, bytes.subarray(0, at)) !== view.getUint32(at, true)) return undefined;
  const timeline = view.getUint32(48, true);
  const goesOnAs = Math.max(timeline, view.getUint32(144, true));
  return { bytes, systemIdentifier: view.getBigUint64(0, true).toString(), timeline, goesOnAs };
}

/** Of every version its CRC stands behind all that it is of, in the first 512 bytes, which a disk writes at once. */
function isRightSomewhere(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 200; at + 4 <= Math.min(512, bytes.length); at += 4)
    if (crc32c(0, bytes.subarray(0, at)) === view.getUint32(at, true)) return true;
  return false;
}

import { crc32c } from '../../src/bytes/crc32c.ts';

/** A pg_control of which no more is right than its head, its timeline and its CRC. */
export function controlOf(facts: {
  readonly systemIdentifier: bigint;
  readonly timeline: number;
  readonly version: number;
  /** Of the least end of recovery; 0 where there is none. */
  readonly promotedTo?: number;
}): Buffer {
  const bytes = Buffer.alloc(8192);
  bytes.writeBigUInt64LE(facts.systemIdentifier, 0);
  bytes.writeUInt32LE(facts.version, 8);
  bytes.writeUInt32LE(facts.timeline, 48);
  bytes.writeUInt32LE(facts.promotedTo ?? 0, 144);
  const crcAt = facts.version < 1800 ? 288 : 292;
  bytes.writeUInt32LE(crc32c(0, bytes.subarray(0, crcAt)), crcAt);
  return bytes;
}

import { readdir, rm, writeFile } from 'node:fs/promises';
import type { Extent } from '../../src/log/log.ts';
import { writeWal } from './wal-writer.ts';

export const mib = 2 ** 20;

/** A segment of a log as the server of cluster 7 writes it. */
export function segment(number: number, contents: string): { readonly extent: Extent; readonly bytes: Buffer } {
  const from = BigInt(number * mib);
  const record = { manager: 10, info: 0, xid: 0, data: Buffer.from(`${contents} ${number}`) };
  const wal = { major: 18, timeline: 1, systemIdentifier: 7n, segmentBytes: mib, start: from, records: [record] };
  const [bytes = Buffer.alloc(0)] = writeWal(wal).segments;
  return { extent: { epoch: 1, from, to: from + BigInt(mib) }, bytes };
}

export const nameOf = (number: number): string =>
  `0000000100000000${number.toString(16).toUpperCase().padStart(8, '0')}`;

/** What the server does with its successes, but for those amidst which it crashes: these it hands over again. */
export async function takeSuccesses(dataDirectory: string, spool: string, crashes = new Set<string>()): Promise<void> {
  for (const marker of (await readdir(spool)).filter((one) => one.endsWith('.ok'))) {
    const name = marker.slice(0, -'.ok'.length);
    await rm(`${spool}/${marker}`, { force: true });
    if (!crashes.has(name)) await rm(`${dataDirectory}/pg_wal/archive_status/${name}.ready`, { force: true });
  }
}

/** The server has written these, and wants them to be archived. */
export async function handSegments(dataDirectory: string, numbers: readonly number[]): Promise<void> {
  for (const number of numbers) {
    await writeFile(`${dataDirectory}/pg_wal/${nameOf(number)}`, segment(number, 'ours').bytes);
    await writeFile(`${dataDirectory}/pg_wal/archive_status/${nameOf(number)}.ready`, '');
  }
}

import type { Snapshot } from '../snapshot/snapshot.ts';
import { encodeSnapshot } from '../snapshot/snapshot.ts';

/** A snapshot as restic's JSON output has it: the stored members, then its ID. */
export function snapshotRecord(snapshot: Snapshot): Readonly<Record<string, unknown>> {
  const stored: unknown = JSON.parse(Buffer.from(encodeSnapshot(snapshot)).toString('utf8'));
  const members = typeof stored === 'object' && stored !== null ? stored : {};
  return { ...members, id: snapshot.id, short_id: snapshot.id.slice(0, 8) };
}

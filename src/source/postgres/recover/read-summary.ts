import type { Extent } from '../../../log/log.ts';
import { HoldfastError, hasCode } from '../../../errors/error.ts';
import type { LogReader } from '../../recovery.ts';
import { segmentFacts, type SegmentFacts } from '../wal/segment.ts';
import { readSidecar, type Sidecar } from '../wal/sidecar.ts';
import { summarize } from '../wal/summary.ts';
import { segmentNameAt } from './wal-name.ts';

export interface SegmentRead {
  readonly facts: SegmentFacts;
  readonly bytes: Uint8Array;
}

/** What a segment tells: by its sidecar, or read where it has none that this version knows. */
export async function readSummary(log: LogReader, extent: Extent): Promise<Sidecar> {
  try {
    const about = await log.about(extent);
    if (about !== undefined && 'version' in about.facts) return readSidecar(about.facts, segmentNameOf(extent));
  } catch (error) {
    if (!hasCode(error, 'unsupported', 'damaged')) throw error;
  }
  const { facts, bytes } = await readSegment(log, extent);
  return { major: facts.major, summary: summarize(facts, bytes) };
}

export async function readSegment(log: LogReader, extent: Extent): Promise<SegmentRead> {
  const bytes = await log.segment(extent.epoch, extent.from);
  const name = segmentNameOf(extent);
  if (bytes === undefined) throw new HoldfastError('storage-not-found', `${name} of the log is gone`);
  return { facts: segmentFacts(name, bytes), bytes };
}

function segmentNameOf({ epoch, from, to }: Extent): string {
  return segmentNameAt(epoch, from, Number(to - from));
}

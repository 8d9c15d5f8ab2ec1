import type { Extent, Noted } from '../../../log/log.ts';
import { segmentsOf } from '../lsn.ts';
import { segmentFacts } from '../wal/segment.ts';
import { sidecarOf } from '../wal/sidecar.ts';
import { summarize } from '../wal/summary.ts';

/** What stands beside a whole segment of the log. 'source-failed' where its header is of another. */
export function notedOf({ epoch, from, to }: Extent, bytes: Uint8Array): Noted {
  const [name = ''] = segmentsOf({ timeline: epoch, start: from, end: to }, Number(to - from));
  const facts = segmentFacts(name, bytes);
  const summary = summarize(facts, bytes);
  const { endings } = summary;
  return {
    times: endings && { earliestNs: endings.earliestNs, latestNs: endings.latestNs },
    facts: sidecarOf(facts.major, summary),
  };
}

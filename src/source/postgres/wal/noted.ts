import type { Noted } from '../../../log/log.ts';
import type { SegmentFacts } from './segment.ts';
import { sidecarOf } from './sidecar.ts';
import { summarize } from './summary.ts';

/** What stands beside a stored segment. */
export function notedOf(facts: SegmentFacts, bytes: Uint8Array): Noted {
  const summary = summarize(facts, bytes);
  const { endings } = summary;
  const times = endings && { earliestNs: endings.earliestNs, latestNs: endings.latestNs };
  return { times, facts: sidecarOf(facts.major, summary) };
}

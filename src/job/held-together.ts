import { unionOf } from '../log/union.ts';
import { togetherOf } from '../point/living.ts';
import type { StreamHeld } from '../point/moment.ts';
import type { LogsOutcome } from './logs.ts';

/** What all places hold of one stream: one of them may be filled from another yet. */
export function heldTogether(logs: LogsOutcome['logs'], stream: string): StreamHeld {
  const same = logs.filter((log) => log.stream === stream);
  return {
    stream,
    listing: unionOf(same.map(({ listing }) => listing)),
    histories: same.flatMap(({ histories }) => histories),
    signs: togetherOf(same.map(({ signs }) => signs)),
  };
}

import type { Listener } from '../../../events/events.ts';
import type { Extent } from '../../../log/log.ts';
import type { Gaps } from './gaps.ts';
import type { Tasks } from './tasks.ts';

/** A segment that waits. */
interface Waiting {
  readonly name: string;
  readonly extent: Extent;
}

interface DroppingOptions {
  readonly component: string;
  readonly listener: Listener;
  readonly tasks: Pick<Tasks, 'drop' | 'takenIn'>;
  readonly gaps: Pick<Gaps, 'add' | 'spare'>;
}

/**
 * All that waits: what is replayed ends at the first hole, whatever stands behind it. Where it fails amidst that, what has no
 * marker stays with the server, and is no gap.
 */
export async function dropAll(segments: readonly Waiting[], options: DroppingOptions): Promise<void> {
  const { tasks, gaps, component, listener } = options;
  const dropped = segments.map(({ name, extent }) => ({ ...extent, takenIn: tasks.takenIn(name) }));
  await gaps.add(dropped, reasonFor(segments));
  let count = 0;
  try {
    for (const { name } of segments) {
      await tasks.drop(name);
      count++;
    }
  } finally {
    gaps.spare(segments.slice(count).map(({ extent }) => extent));
    const message = `${reasonFor(segments.slice(0, count))}: where no place has them a base backup is due`;
    if (count > 0) listener({ kind: 'warning', during: 'log', item: component, message });
  }
}

function reasonFor(segments: readonly Waiting[]): string {
  return `${segments.length} segments from ${segments[0]?.name} on were dropped, for more waited than push-queue-max allows`;
}

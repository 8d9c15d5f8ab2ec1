import type { Leader } from '../../recovery.ts';
import { connectTo } from '../connect.ts';
import { historiesOf, identify } from '../stream/log-server.ts';
import { usualWaits, type Waits } from '../waits.ts';

/** It is asked for a few lines: one that is slower than that is told as one that doesn't answer. */
const soonMs = 30_000;

/** Which cluster and timeline a server is of. 'source-failed' where it can't be reached, or doesn't let the role replicate. */
export async function askLeader(url: string, signal: AbortSignal, given: Waits = usualWaits): Promise<Leader> {
  const waits = { ...given, answerMs: soonMs, firstMs: soonMs, idleMs: soonMs };
  await using replication = await connectTo({ url, use: 'replication', waits, signal });
  const { stream, timeline } = await identify(replication);
  return { stream, epoch: timeline, histories: await historiesOf(replication, timeline) };
}

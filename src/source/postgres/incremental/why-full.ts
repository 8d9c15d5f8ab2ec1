import type { ServerConnection } from '../connect.ts';
import type { Description } from '../description.ts';
import type { ServerFacts } from '../server.ts';

export interface Now {
  readonly facts: ServerFacts;
  readonly systemIdentifier: string;
  readonly timeline: number;
  readonly summarizes: boolean;
  readonly nowNs: bigint;
}

/** What a merge can't notice, as a chunk of the parent that rotted, lasts no longer than this. */
const fullEveryDays = 7;
const dayNs = 86_400_000_000_000n;

export async function settingsOf(
  server: ServerConnection,
): Promise<Pick<Now, 'systemIdentifier' | 'timeline' | 'summarizes'>> {
  const [[system, timeline, summarizes] = []] = await server.rows(
    `select (select system_identifier from pg_control_system()), (select timeline_id from pg_control_checkpoint()),
      current_setting('summarize_wal', true)`,
  );
  return { systemIdentifier: system ?? '', timeline: Number(timeline), summarizes: summarizes === 'on' };
}

/** Why a backup is to be sent as a whole; undefined where what changed since the parent is enough. */
export function whyFull(parent: Description | undefined, now: Now): string | undefined {
  if (parent === undefined) return 'there is no parent snapshot that could be read';
  if (!now.summarizes) return 'summarize_wal is off: the server does not know what changed';
  if (parent.systemIdentifier !== now.systemIdentifier) return 'the system identifier is another';
  if (parent.timeline !== now.timeline) return 'the timeline is another';
  if (parent.major !== now.facts.major) return 'the major version is another';
  if (parent.dataChecksums === 'wrong') return 'the parent snapshot has wrong pages';
  if ((parent.dataChecksums === 'off') !== (now.facts.dataChecksums === 'off')) return 'data checksums were switched';
  const { merged, timeNs } = parent;
  const fullNs = BigInt(merged?.fullNs ?? timeNs ?? 0);
  const isDue = now.nowNs - fullNs >= BigInt(fullEveryDays) * dayNs || now.nowNs < fullNs;
  return isDue ? `the last that was sent as a whole is ${fullEveryDays} days old` : undefined;
}

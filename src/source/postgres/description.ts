import * as z from 'zod';
import { HoldfastError } from '../../errors/error.ts';
import { heartbeat, type Heartbeat } from './heartbeat.ts';
import { lsnText } from './lsn.ts';
import type { Gathered } from './gather.ts';
import { rowCounts, type RowCounts } from './row-counts.ts';
import type { ServerFacts } from './server.ts';

export interface Described {
  readonly facts: ServerFacts;
  readonly gathered: Gathered & { readonly system: string };
  readonly configuration: readonly string[];
  /** undefined: the server sent it. */
  readonly reading: ReadingFacts | undefined;
  readonly counts: RowCounts | undefined;
  readonly heartbeat: Heartbeat | undefined;
  /** undefined: it was sent as a whole. */
  readonly merged: MergedFacts | undefined;
  readonly timeNs: bigint;
}

/** Of a backup that was read on its host: whether the next one can tell what has not changed since. */
const reading = z.object({
  /** Nanoseconds since 1970: what was written since may have changed in the midst. */
  startedNs: z.string().regex(/^\d+$/),
  boot: z.string(),
  bootSeconds: z.int(),
  /** So many backups have taken files over since one read them all. */
  sinceAllRead: z.int().nonnegative(),
});

export type ReadingFacts = z.output<typeof reading>;

/** Of a backup that was merged with its parent: since when nothing was sent as a whole. */
const merged = z.object({
  /** Nanoseconds since 1970. */
  fullNs: z.string().regex(/^\d+$/),
  sinceFull: z.int().positive(),
});

export type MergedFacts = z.output<typeof merged>;

const description = z.object({
  format: z.literal(1),
  version: z.string(),
  major: z.int(),
  systemIdentifier: z.string(),
  timeline: z.int(),
  startLsn: z.string(),
  endLsn: z.string(),
  walSegmentBytes: z.int(),
  dataDirectory: z.string().nullable(),
  dataChecksums: z.enum(['off', 'right', 'wrong']),
  tablespaces: z.array(z.object({ oid: z.string().regex(/^\d+$/), location: z.string().startsWith('/').optional() })),
  configuration: z.array(z.string()),
  database: z.string(),
  superuser: z.string(),
  reading: reading.optional(),
  counts: rowCounts.optional(),
  heartbeat: heartbeat.optional(),
  merged: merged.optional(),
  timeNs: z.string().regex(/^\d+$/).optional(),
  capacities: z.record(z.string().regex(/^[a-z_]+$/), z.string().regex(/^\d*$/)),
});

/** What a restore has to know that the data directory doesn't say itself: `postgres.json`. */
export type Description = z.output<typeof description>;

export function describeBackup({
  facts,
  gathered,
  configuration,
  counts,
  heartbeat: beaten,
  timeNs,
  ...how
}: Described): string {
  const { system, start, end, tablespaces, pageChecksums } = gathered;
  const described: Description = {
    format: 1,
    version: facts.version,
    major: facts.major,
    systemIdentifier: system,
    timeline: start.timeline,
    startLsn: lsnText(start.lsn),
    endLsn: lsnText(end.lsn),
    walSegmentBytes: facts.segmentBytes,
    dataDirectory: facts.dataDirectory ?? null,
    dataChecksums: facts.dataChecksums === 'off' ? 'off' : pageChecksums,
    tablespaces: tablespaces.flatMap(({ oid, location }) => (oid === undefined ? [] : [{ oid, location }])),
    configuration: [...configuration],
    database: facts.database,
    superuser: facts.superuser,
    counts,
    heartbeat: beaten,
    capacities: facts.capacities,
    ...(how.reading && { reading: how.reading }),
    ...(how.merged && { merged: how.merged }),
    timeNs: String(timeNs),
  };
  return `${JSON.stringify(described, null, 2)}\n`;
}

/** 'damaged' where it is none, or of a form that this version doesn't know. */
export function parseDescription(text: string): Description {
  const parsed = description.safeParse(asJson(text));
  if (parsed.success) return parsed.data;
  throw new HoldfastError('damaged', 'postgres.json of the snapshot can’t be understood by this version');
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // said by who asks
  }
}

import { goTime, parseGoTime } from '../bytes/go-time.ts';
import { localZone } from '../clock/zone.ts';
import type { FoundIn } from '../point/point.ts';
import type { Policy } from '../policy/policy.ts';
import type { StoredRecord } from '../record/record.ts';
import type { DatedSnapshot } from '../retention/keep.ts';
import { lacking } from './lacking.ts';

/** A point that was held elsewhere and is listed there no more, though nothing of ours expired it. */
export interface GonePoint {
  readonly component: string;
  readonly rule: string;
  readonly identity: string;
  readonly timeNs: bigint;
  /** The place. */
  readonly repository: string;
}

/**
 * What was made or copied into places elsewhere by the records, was not expired by us, isn't among what was found there,
 * and would still be kept. What a place expires by itself is thus told until its own time would have come.
 */
export function goneFrom(
  { components }: Policy,
  records: readonly StoredRecord[],
  found: readonly FoundIn[],
  nowNs: bigint,
): readonly GonePoint[] {
  const expected = expectedElsewhere(records);
  return found.flatMap((one) => {
    if (!('external' in one)) return [];
    const { repository, component, external } = one;
    return Object.entries(components[component]?.backups ?? {}).flatMap(([rule, { to }]) => {
      const keep = to[repository]?.keep;
      if (keep === undefined) return [];
      const isMeant = (point: GonePoint): boolean =>
        point.component === component && point.rule === rule && point.repository === repository;
      const present = external.filter((point) => point.rule === rule).map(dated);
      const missing = lacking(expected.filter(isMeant).map(dated), present, keep, { nowNs, idOf: ({ id }) => id });
      const ids = new Set(missing.map(({ id }) => id));
      return expected.filter((point) => isMeant(point) && ids.has(point.identity));
    });
  });
}

function dated({ identity: id, timeNs }: Pick<GonePoint, 'identity' | 'timeNs'>): DatedSnapshot {
  return { id, time: goTime(timeNs, localZone()), timeNs, hostname: '', paths: [], tags: [] };
}

/** Oldest record first. */
function expectedElsewhere(records: readonly StoredRecord[]): readonly GonePoint[] {
  const made = new Map<string, bigint>();
  const held = new Map<string, GonePoint>();
  for (const record of records) {
    const { kind, component, repository = '', data } = record;
    const { rule, point, time } = data;
    if (typeof rule !== 'string') continue;
    if (kind === 'run' && typeof point === 'string' && typeof time === 'string')
      made.set(`${component} ${rule} ${point}`, parseGoTime(time));
    for (const identity of heldElsewhere(record)) {
      const timeNs = made.get(`${component} ${rule} ${identity}`);
      const key = `${component} ${rule} ${repository} ${identity}`;
      if (kind === 'forget') held.delete(key);
      else if (timeNs !== undefined) held.set(key, { component, rule, identity, timeNs, repository });
    }
  }
  return [...held.values()];
}

/** The points that a run made, a copy brought or a forget took away; none where it was about a repository. */
export function heldElsewhere({ data: { held, point, points } }: StoredRecord): readonly string[] {
  const several: readonly unknown[] = Array.isArray(points) ? points : [];
  const named = held === 'external' ? [point, ...several] : [];
  return named.filter((one) => typeof one === 'string');
}

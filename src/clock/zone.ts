/** A time zone's offset from UTC, in seconds (east positive), at an instant given in seconds since 1970. */
export interface Zone {
  offsetAt(epochSeconds: number): number;
}

/** The name of this process' zone: TZ, else the system's. Intl knows it too, after 18 ms and 9 MiB. */
export function localZoneName(): string {
  return Temporal.Now.timeZoneId();
}

/** The zone of this process. */
export function localZone(): Zone {
  const id = localZoneName();
  local = local?.id === id ? local : { id, zone: zoneOf(id) };
  return local.zone;
}

let local: { readonly id: string; readonly zone: Zone } | undefined;

/** Whether it names a time zone that this machine knows. */
export function isZone(id: string): boolean {
  try {
    return Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(id).timeZoneId !== '';
  } catch {
    return false;
  }
}

/** By IANA name or offset. Remembers spans without a transition: backups ask once for every file. */
export function zoneOf(id: string): Zone {
  const spans: Span[] = [];
  let last: Span = { from: 0, to: 0, offset: 0 };
  return {
    offsetAt: (epochSeconds) => {
      if (epochSeconds >= last.from && epochSeconds < last.to) return last.offset;
      const known = spans.find(({ from, to }) => epochSeconds >= from && epochSeconds < to);
      last = known ?? spanAround(id, epochSeconds);
      if (known === undefined) spans.push(last);
      return last.offset;
    },
  };
}

interface Span {
  readonly from: number;
  readonly to: number;
  readonly offset: number;
}

/** Temporal's own limit, less a day for the offset. */
const limitSeconds = 8.64e12 - 86_400;

function spanAround(id: string, epochSeconds: number): Span {
  const clamped = Math.max(-limitSeconds, Math.min(limitSeconds, Math.floor(epochSeconds)));
  const at = Temporal.Instant.fromEpochMilliseconds(clamped * 1000).toZonedDateTimeISO(id);
  const next = at.getTimeZoneTransition('next');
  // 'previous' looks strictly before, and a transition at this very second belongs to this span.
  const previous = at.add({ nanoseconds: 1 }).getTimeZoneTransition('previous');
  return {
    from: previous === null ? -Infinity : previous.epochMilliseconds / 1000,
    to: next === null ? Infinity : next.epochMilliseconds / 1000,
    offset: at.offsetNanoseconds / 1e9,
  };
}

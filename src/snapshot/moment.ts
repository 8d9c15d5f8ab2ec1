import { HoldfastError } from '../errors/error.ts';

/**
 * A moment that a person names: `today`, `yesterday` or a date, with or without a time of day and a zone:
 * `yesterday 14:00`, `2026-11-20`, `2026-11-20T14:00:00+02:00`. Without a time of day it is the day's end, so that
 * "the snapshot of yesterday" is the last one made then.
 */
export interface Moment {
  readonly ns: bigint;
  /** In full, with its offset, to be shown to the person. */
  readonly text: string;
}

// A zone in hours alone, as PostgreSQL writes it, stands behind a time of day only: behind a date it may be a slip.
const shape =
  /^(?<day>today|yesterday|\d{4}-\d\d-\d\d)(?:[ T](?<time>\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?))?(?<zone>Z|[+-]\d\d:\d\d|(?<=:\d\d(?:\.\d+)?)[+-]\d\d)?(?::(?<rest>.*))?$/s;

/** What follows a colon is returned as `rest`. Undefined when the text doesn't begin as a moment does. */
export function parseMoment(
  text: string,
  now: Temporal.ZonedDateTime,
): { readonly moment: Moment; readonly rest: string } | undefined {
  const parts = shape.exec(text)?.groups;
  if (parts === undefined) return undefined;
  try {
    const at = momentOf(parts, now);
    return {
      moment: { ns: at.epochNanoseconds, text: at.toString({ timeZoneName: 'never', smallestUnit: 'second' }) },
      rest: parts['rest'] ?? '',
    };
  } catch (cause) {
    throw new HoldfastError('usage', `no such moment: ${JSON.stringify(text)}; one looks like "2026-11-20 14:30:00Z"`, {
      cause,
    });
  }
}

function momentOf(
  parts: Readonly<Record<string, string | undefined>>,
  now: Temporal.ZonedDateTime,
): Temporal.ZonedDateTime {
  const { day = '', time, zone } = parts;
  const here = now.withTimeZone(zone === undefined ? now.timeZoneId : zone === 'Z' ? 'UTC' : zone);
  const date = dayOf(day, here.toPlainDate());
  if (time !== undefined)
    return date.toZonedDateTime({ timeZone: here.timeZoneId, plainTime: Temporal.PlainTime.from(time) });
  return date.add({ days: 1 }).toZonedDateTime(here.timeZoneId).subtract({ nanoseconds: 1 });
}

function dayOf(day: string, today: Temporal.PlainDate): Temporal.PlainDate {
  if (day === 'today') return today;
  return day === 'yesterday' ? today.subtract({ days: 1 }) : Temporal.PlainDate.from(day);
}

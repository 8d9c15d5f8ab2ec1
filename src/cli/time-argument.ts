import { systemClock } from '../clock/clock.ts';
import { localZoneName } from '../clock/zone.ts';
import { HoldfastError } from '../errors/error.ts';

interface Here {
  readonly zone: string;
  readonly nowNs: bigint;
}

/**
 * A time as restic takes it, in the zone of this machine unless another is given: `2026-08-01`, with `14:00` or
 * `14:00:00` behind (and a zone after that), or `01.08.2026`; also `today` and `yesterday`. A day alone is its
 * beginning. Nanoseconds since 1970.
 */
export function timeOf(
  text: string,
  label: string,
  { zone: here, nowNs }: Here = { zone: localZoneName(), nowNs: systemClock.nowNs() },
): bigint {
  const [, date = '', , clock = '00:00', zone] = shape.exec(text.trim()) ?? [];
  try {
    const at = zone === undefined ? here : zone === 'Z' ? 'UTC' : zone;
    const local = Temporal.PlainDateTime.from(
      `${dayOf(date, new Temporal.Instant(nowNs).toZonedDateTimeISO(at))}T${clock}`,
    );
    return local.toZonedDateTime(at).epochNanoseconds;
  } catch (cause) {
    throw new HoldfastError(
      'usage',
      `${label}: ${JSON.stringify(text)} is no time such as "2026-08-01 14:00:00" or "yesterday"`,
      {
        cause,
      },
    );
  }
}

function dayOf(date: string, now: Temporal.ZonedDateTime): string {
  if (date === 'today') return now.toPlainDate().toString();
  if (date === 'yesterday') return now.toPlainDate().subtract({ days: 1 }).toString();
  return date.includes('.') ? date.split('.').toReversed().join('-') : date.replaceAll('/', '-');
}

const shape =
  /^(today|yesterday|\d{4}-\d\d-\d\d|\d{4}\/\d\d\/\d\d|\d\d\.\d\d\.\d{4})([ T](\d\d:\d\d(?::\d\d(?:\.\d+)?)?))? ?(Z|UTC|GMT|[+-]\d\d:?\d\d)?$/;

import { localZoneName } from '../clock/zone.ts';
import { HoldfastError } from '../errors/error.ts';

/**
 * A time as restic takes it, in the zone of this machine: `2026-08-01`, with `14:00` or `14:00:00` behind (and a zone
 * after that), or `01.08.2026`. Nanoseconds since 1970.
 */
export function timeOf(text: string, label: string): bigint {
  const [, date = '', , clock = '00:00', zone] = shape.exec(text.trim()) ?? [];
  try {
    const day = date.includes('.') ? date.split('.').toReversed().join('-') : date.replaceAll('/', '-');
    const local = Temporal.PlainDateTime.from(`${day}T${clock}`);
    const at = zone === undefined ? localZoneName() : zone === 'Z' ? 'UTC' : zone;
    return local.toZonedDateTime(at).epochNanoseconds;
  } catch (cause) {
    throw new HoldfastError('usage', `${label}: ${JSON.stringify(text)} is no time such as "2026-08-01 14:00:00"`, {
      cause,
    });
  }
}

const shape =
  /^(\d{4}-\d\d-\d\d|\d{4}\/\d\d\/\d\d|\d\d\.\d\d\.\d{4})([ T](\d\d:\d\d(?::\d\d(?:\.\d+)?)?))? ?(Z|UTC|GMT|[+-]\d\d:?\d\d)?$/;

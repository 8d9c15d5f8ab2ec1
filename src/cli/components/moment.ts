import { HoldfastError } from '../../errors/error.ts';
import type { Policy } from '../../policy/policy.ts';
import { parseMoment } from '../../snapshot/moment.ts';
import type { Context } from '../context.ts';

/** A time, and how it is shown. */
export interface Named {
  readonly ns: bigint;
  readonly text: string;
}

/** What --at means. Without a zone of its own a time is one of the policy's; it is shown with its offset. */
export function momentAt(at: string | undefined, { timezone }: Policy, { console, clock }: Context): Named | undefined {
  if (at === undefined) return undefined;
  const now = new Temporal.Instant(clock.nowNs()).toZonedDateTimeISO(timezone);
  const parsed = parseMoment(at, now);
  if (parsed === undefined || parsed.rest !== '')
    throw new HoldfastError(
      'usage',
      `--at: ${JSON.stringify(at)} is no time; say "2026-11-20 14:30:00Z" or "yesterday 14:00"`,
    );
  console.say(`at ${parsed.moment.text}`);
  return parsed.moment;
}

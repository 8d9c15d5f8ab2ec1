import type { Clock } from '../../clock/clock.ts';
import type { Verification } from '../../policy/policy.ts';
import type { CheckResult } from '../verification.ts';

export type Check = Verification['checks'][number];

/** What a check found, against what it expects: more than nothing, where it says no more. */
export function judged(check: Check, found: number): CheckResult {
  const passed = expectsNothing(check) ? found > 0 : holds(check, found);
  return {
    name: check.name,
    state: passed ? 'passed' : 'failed',
    expected: expectationOf(check),
    found: String(found),
  };
}

/** As `judged`, of what a program or a service wrote. A time without a zone can't be judged. */
export function judgedText(asked: Check, text: string, clock: Clock): CheckResult {
  const [check, found] = [wanted(asked), text.trim()];
  const { name, equals, within } = check;
  const base = { name, expected: expectationOf(check), found: found.slice(0, 200) };
  const said = (right: boolean): CheckResult => ({ ...base, state: right ? 'passed' : 'failed' });
  if (within !== undefined) {
    const ageMs = ageOf(found, clock);
    if (ageMs === undefined) return { ...base, state: 'not run', found: `${base.found}, which is no time with a zone` };
    if (ageMs < -mostAheadMs) return { ...base, state: 'not run', found: `${base.found}, which is yet to come` };
    if (ageMs > within.ms) return said(false);
  }
  if (typeof equals === 'string') return said(found === equals);
  if (expectsNothing({ ...check, within: undefined })) return said(within !== undefined || found !== '');
  return said(found !== '' && holds(check, Number(found)));
}

/** Clocks differ; what is further ahead is a date in a calendar, and no sign of life. */
const mostAheadMs = 5 * 60_000;

/** Of orphans none are wanted, where it says no more. */
function wanted(check: Check): Check {
  return check.orphans !== undefined && expectsNothing(check) ? { ...check, equals: 0 } : check;
}

export function expectsNothing({ equals, 'at-least': least, 'at-most': most, between, within }: Check): boolean {
  return [equals, least, most, between, within].every((one) => one === undefined);
}

function holds({ equals, 'at-least': least, 'at-most': most, between }: Check, found: number): boolean {
  return (
    !Number.isNaN(found) &&
    (equals === undefined || found === Number(equals)) &&
    (least === undefined || found >= least) &&
    (most === undefined || found <= most) &&
    (between === undefined || (found >= between[0] && found <= between[1]))
  );
}

/** Milliseconds since a time in ISO 8601 or in seconds since 1970. */
function ageOf(text: string, clock: Clock): number | undefined {
  const nowMs = Number(clock.nowNs() / 1_000_000n);
  if (/^\d{9,11}(?:\.\d+)?$/.test(text)) return nowMs - Number(text) * 1000;
  try {
    return nowMs - Temporal.Instant.from(text.replace(/([+-]\d\d)$/, '$1:00')).epochMilliseconds;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return undefined;
  }
}

export function expectationOf(asked: Check): string {
  const check = wanted(asked);
  const { equals, 'at-least': least, 'at-most': most, between, within } = check;
  const parts = [
    ...(equals === undefined ? [] : [`exactly ${equals}`]),
    ...(least === undefined ? [] : [`at least ${least}`]),
    ...(most === undefined ? [] : [`at most ${most}`]),
    ...(between === undefined ? [] : [`between ${between[0]} and ${between[1]}`]),
    ...(within === undefined ? [] : [`not older than ${within.text}`]),
  ];
  return parts.length > 0 ? parts.join(' and ') : check.command === undefined ? 'something' : 'exit code 0';
}

import { goTime } from '../bytes/go-time.ts';
import { localZone } from '../clock/zone.ts';

const steps = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** `1.234 MiB`, as restic writes sizes. */
export function formatBytes(bytes: number): string {
  const step = Math.min(steps.length - 1, bytes < 1 ? 0 : Math.floor(Math.log2(bytes) / 10));
  return step === 0 ? `${bytes} B` : `${(bytes / 2 ** (10 * step)).toFixed(3)} ${steps[step] ?? ''}`;
}

/** `3:07` or `1:02:03`. */
export function formatSeconds(seconds: number): string {
  const whole = Math.floor(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (number: number): string => String(number).padStart(2, '0');
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** Local time to the second, as restic writes it: `2026-08-01 14:03:59`. */
export function formatTime(ns: bigint): string {
  return goTime(ns, localZone()).slice(0, 19).replace('T', ' ');
}

/** Local time as Go writes it into JSON: RFC 3339 with as many digits of a second as it has. */
export function jsonTime(ns: bigint): string {
  return goTime(ns, localZone());
}

/** `1 file`, `2 files`. */
export function plural(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** Names with control characters or broken UTF-8 are quoted, so that they can't play with a terminal. */
export function quoteForTerminal(text: string): string {
  return /[\p{C}\u2028\u2029\uFFFD]/u.test(text)
    ? JSON.stringify(text).replaceAll(/[\u007f-\u009f]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`)
    : text;
}

/** An ID is known by its start; what a place elsewhere calls a point is its whole name. */
export function shortPoint(identity: string): string {
  return /^[0-9a-f]{64}$/.test(identity) ? identity.slice(0, 8) : quoteForTerminal(identity);
}

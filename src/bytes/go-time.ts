import type { Zone } from '../clock/zone.ts';
import { HoldfastError } from '../errors/error.ts';
import { dateOfDay, dayOfDate, daysInMonth } from './calendar.ts';

/**
 * Times as Go writes them (RFC 3339 with as many digits of the second's fraction as are needed), in nanoseconds
 * since 1970. The calendar is computed on numbers: Temporal takes microseconds a time, and a tree has three a file.
 */
export function goTime(epochNs: bigint, zone: Zone): string {
  let seconds = Number(epochNs / billion);
  let nanos = Number(epochNs % billion);
  if (nanos < 0) {
    nanos += 1e9;
    seconds -= 1;
  }
  return `${localTime(seconds, zone, nanos === 0 ? '' : `.${nanos.toString().padStart(9, '0').replace(/0+$/, '')}`)}`;
}

const billion = 1_000_000_000n;

function localTime(seconds: number, zone: Zone, fraction: string): string {
  const offset = zone.offsetAt(seconds);
  const local = seconds + offset;
  const day = Math.floor(local / 86_400);
  const date = dateText(day);
  if (date === undefined) return localTime(inWritableYear(local, day) - offset, zone, fraction);
  return `${date}T${clockText(local - day * 86_400)}${fraction}${offsetText(offset)}`;
}

let lastDay = Number.NaN;
let lastDate = '';

/** undefined outside the years 0 to 9999. Files of one day come together: the last answer is kept. */
function dateText(day: number): string | undefined {
  if (day === lastDay) return lastDate;
  const { year, month, dayOfMonth } = dateOfDay(day);
  if (year < 0 || year > 9999) return undefined;
  lastDay = day;
  lastDate = `${year.toString().padStart(4, '0')}-${two(month)}-${two(dayOfMonth)}`;
  return lastDate;
}

/** restic moves a time that JSON can't hold to the same day and hour of the year 0 or 9999. */
function inWritableYear(local: number, day: number): number {
  const { year, month, dayOfMonth } = dateOfDay(day);
  return dayOfDate(year < 0 ? 0 : 9999, month, dayOfMonth) * 86_400 + (local - day * 86_400);
}

function clockText(secondOfDay: number): string {
  const minutes = Math.floor(secondOfDay / 60);
  return `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}:${two(secondOfDay % 60)}`;
}

/** Go cuts the seconds off an offset (old local mean times have them). */
function offsetText(offset: number): string {
  if (offset === 0) return 'Z';
  const minutes = Math.trunc(Math.abs(offset) / 60);
  return `${offset < 0 && minutes > 0 ? '-' : '+'}${two(Math.trunc(minutes / 60))}:${two(minutes % 60)}`;
}

function two(value: number): string {
  return value < 10 ? `0${value}` : `${value}`;
}

/** Nanoseconds since 1970 of an RFC 3339 time with any offset; digits beyond nanoseconds are cut, as Go does. */
export function parseGoTime(text: string): bigint {
  const seconds = wallSeconds(text);
  const zoneAt = fractionEnd(text);
  const offset = parseOffset(text, zoneAt);
  const valid = Number.isInteger(seconds) && Number.isInteger(offset);
  if (!valid) throw new HoldfastError('damaged', `not a time: ${JSON.stringify(text.slice(0, 80))}`);
  return BigInt(seconds - offset) * billion + BigInt(nanosOf(text, zoneAt));
}

/** The offset of an RFC 3339 time, seconds east of UTC; undefined for `Z`, which is UTC wherever one is. */
export function goTimeOffset(text: string): number | undefined {
  if (text.endsWith('Z')) return undefined;
  const offset = parseOffset(text, fractionEnd(text));
  if (Number.isNaN(offset)) throw new HoldfastError('damaged', `not a time: ${JSON.stringify(text.slice(0, 80))}`);
  return offset;
}

/** `2006-01-02T15:04:05` as seconds, without a zone; NaN where it isn't one. */
function wallSeconds(text: string): number {
  const [year, month, day] = [digits(text, 0, 4), digits(text, 5, 2), digits(text, 8, 2)];
  const [hour, minute, second] = [digits(text, 11, 2), digits(text, 14, 2), digits(text, 17, 2)];
  const shaped = text[4] === '-' && text[7] === '-' && text[10] === 'T' && text[13] === ':' && text[16] === ':';
  const inRange = day >= 1 && day <= daysInMonth(year, month) && hour < 24 && minute < 60 && second < 60;
  return shaped && inRange ? dayOfDate(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second : Number.NaN;
}

/** Where the zone starts. */
function fractionEnd(text: string): number {
  if (text[19] !== '.') return 19;
  let end = 20;
  while (isDigit(text.charCodeAt(end))) end += 1;
  return end > 20 ? end : text.length;
}

function nanosOf(text: string, zoneAt: number): number {
  return zoneAt === 19 ? 0 : Number(text.slice(20, Math.min(zoneAt, 29)).padEnd(9, '0'));
}

/** Seconds east; NaN where it is no offset. */
function parseOffset(text: string, at: number): number {
  const sign = text[at];
  if (sign === 'Z') return at + 1 === text.length ? 0 : Number.NaN;
  if ((sign !== '+' && sign !== '-') || text[at + 3] !== ':' || at + 6 !== text.length) return Number.NaN;
  const [hours, minutes] = [digits(text, at + 1, 2), digits(text, at + 4, 2)];
  if (!(hours < 24 && minutes < 60)) return Number.NaN;
  return (sign === '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

function digits(text: string, from: number, count: number): number {
  let value = 0;
  for (let at = from; at < from + count; at += 1) {
    const code = text.charCodeAt(at);
    if (!isDigit(code)) return Number.NaN;
    value = value * 10 + code - 48;
  }
  return value;
}

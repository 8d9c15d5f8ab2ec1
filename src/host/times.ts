import { futimesSync, lutimesSync } from 'node:fs';
import { systemPath, type RawPath } from '../bytes/ids.ts';
import { checked, cString, libcFunction } from './libc.ts';

/** Nanoseconds since 1970, may be negative. */
export interface FileTimes {
  readonly atimeNs: bigint;
  readonly mtimeNs: bigint;
}

const utimensat = libcFunction('utimensat', { return: 'i32', arguments: ['i32', 'string', 'buffer', 'i32'] });
const futimens = libcFunction('futimens', { return: 'i32', arguments: ['i32', 'buffer'] });

/** Whether times are set to the nanosecond; else to what a double of seconds holds, some 100 ns off. */
export const timesAreExact = utimensat !== undefined && futimens !== undefined;

/** Sets the times of an open file (number) or of what a path names, a link itself included. */
export function setTimes(target: RawPath | number, times: FileTimes): void {
  if (utimensat === undefined || futimens === undefined) return setTimesRoughly(target, times);
  const spec = timespecs(times);
  if (typeof target === 'number') checked('futimens', futimens(target, spec));
  else checked('utimensat', utimensat(AT_FDCWD, cString(target), spec, AT_SYMLINK_NOFOLLOW));
}

const AT_FDCWD = process.platform === 'darwin' ? -2 : -100;
const AT_SYMLINK_NOFOLLOW = process.platform === 'darwin' ? 0x20 : 0x100;
const NS_PER_SECOND = 1_000_000_000n;

/** Two struct timespec, both fields of 64 bits. */
function timespecs({ atimeNs, mtimeNs }: FileTimes): BigInt64Array<ArrayBuffer> {
  return BigInt64Array.of(wholeSeconds(atimeNs), nanoseconds(atimeNs), wholeSeconds(mtimeNs), nanoseconds(mtimeNs));
}

/** From 0 to 999,999,999 also before 1970. */
function nanoseconds(ns: bigint): bigint {
  const rest = ns % NS_PER_SECOND;
  return rest < 0n ? rest + NS_PER_SECOND : rest;
}

function wholeSeconds(ns: bigint): bigint {
  return (ns - nanoseconds(ns)) / NS_PER_SECOND;
}

function setTimesRoughly(target: RawPath | number, { atimeNs, mtimeNs }: FileTimes): void {
  const [atime, mtime] = [Number(atimeNs) / 1e9, Number(mtimeNs) / 1e9];
  if (typeof target === 'number') futimesSync(target, atime, mtime);
  else lutimesSync(systemPath(target), atime, mtime);
}

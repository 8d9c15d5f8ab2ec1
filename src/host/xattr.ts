import { constants } from 'node:os';
import type { RawPath } from '../bytes/ids.ts';
import { checked, cString, lastErrno, libcFunction } from './libc.ts';
import { systemError } from './system-error.ts';

/**
 * Extended attributes of an open file (number) or of what a path names, a link itself included. POSIX ACLs are among
 * them on Linux: `system.posix_acl_access` and `system.posix_acl_default`. Names are UTF-8 and whole
 * ('user.comment'); values are bytes. Errors are the system's: ENOTSUP where a file system keeps none.
 */
type Target = RawPath | number;

const darwin = process.platform === 'darwin';
const calls = darwin ? darwinCalls() : linuxCalls();

/** Whether this host can read and write extended attributes. */
export const xattrsAreKept = calls !== undefined;

/** Names in the system's order; [] where this host can't tell (`xattrsAreKept`). */
export function listXattrs(target: Target): readonly string[] {
  if (calls === undefined) return [];
  const names = filled('listxattr', (buffer) => calls.list(target, buffer));
  return names.length === 0 ? [] : names.toString('utf8', 0, names.length - 1).split('\0');
}

export function getXattr(target: Target, name: string): Uint8Array {
  const { get } = present('getxattr');
  return Buffer.from(filled('getxattr', (buffer) => get(target, utf8(name), buffer)));
}

export function setXattr(target: Target, name: string, value: Uint8Array): void {
  checked('setxattr', present('setxattr').set(target, utf8(name), value));
}

export function removeXattr(target: Target, name: string): void {
  checked('removexattr', present('removexattr').remove(target, utf8(name)));
}

interface Calls {
  readonly list: (target: Target, buffer: Uint8Array) => number;
  readonly get: (target: Target, name: Uint8Array, buffer: Uint8Array) => number;
  readonly set: (target: Target, name: Uint8Array, value: Uint8Array) => number;
  readonly remove: (target: Target, name: Uint8Array) => number;
}

const { ENOTSUP, ERANGE, E2BIG } = constants.errno;
/** Larger than any file system takes: 64 KiB on Linux, 64 MiB on macOS, where a value may not grow beyond. */
const MAX_BYTES = 64 * 1024 * 1024;
/** A small one first: the kernel allocates and clears as much as it is told, for each call. */
const firstBuffer = Buffer.alloc(1024);

function present(call: string): Calls {
  if (calls === undefined) throw systemError(call, ENOTSUP);
  return calls;
}

/** What `call` put into a buffer, which grows until it is larger than the answer. The result is overwritten by the next. */
function filled(name: string, call: (buffer: Buffer) => number): Buffer {
  for (let buffer = firstBuffer; ; buffer = Buffer.alloc(buffer.length * 8)) {
    const length = call(buffer);
    if (length >= 0 && length < buffer.length) return buffer.subarray(0, length);
    const errno = length < 0 ? lastErrno() : ERANGE;
    if ((errno !== ERANGE && errno !== E2BIG) || buffer.length >= MAX_BYTES) throw systemError(name, errno);
  }
}

function utf8(name: string): Uint8Array {
  return Buffer.from(`${name}\0`, 'utf8');
}

function linuxCalls(): Calls | undefined {
  const list = libcFunction('llistxattr', { return: 'i32', arguments: ['string', 'buffer', 'u64'] });
  const get = libcFunction('lgetxattr', { return: 'i32', arguments: ['string', 'buffer', 'buffer', 'u64'] });
  const set = libcFunction('lsetxattr', { return: 'i32', arguments: ['string', 'buffer', 'buffer', 'u64', 'i32'] });
  const remove = libcFunction('lremovexattr', { return: 'i32', arguments: ['string', 'buffer'] });
  const flist = libcFunction('flistxattr', { return: 'i32', arguments: ['i32', 'buffer', 'u64'] });
  const fget = libcFunction('fgetxattr', { return: 'i32', arguments: ['i32', 'buffer', 'buffer', 'u64'] });
  const fset = libcFunction('fsetxattr', { return: 'i32', arguments: ['i32', 'buffer', 'buffer', 'u64', 'i32'] });
  const fremove = libcFunction('fremovexattr', { return: 'i32', arguments: ['i32', 'buffer'] });
  if (!list || !get || !set || !remove || !flist || !fget || !fset || !fremove) return undefined;
  return {
    list: (to, into) => (isFd(to) ? flist(to, into, size(into)) : list(cString(to), into, size(into))),
    get: (to, name, into) => (isFd(to) ? fget(to, name, into, size(into)) : get(cString(to), name, into, size(into))),
    set: (to, name, from) =>
      isFd(to) ? fset(to, name, from, size(from), 0) : set(cString(to), name, from, size(from), 0),
    remove: (to, name) => (isFd(to) ? fremove(to, name) : remove(cString(to), name)),
  };
}

/** macOS has a position (resource forks) and options in every call. */
function darwinCalls(): Calls | undefined {
  const list = libcFunction('listxattr', { return: 'i32', arguments: ['string', 'buffer', 'u64', 'i32'] });
  const get = libcFunction('getxattr', {
    return: 'i32',
    arguments: ['string', 'buffer', 'buffer', 'u64', 'u32', 'i32'],
  });
  const set = libcFunction('setxattr', {
    return: 'i32',
    arguments: ['string', 'buffer', 'buffer', 'u64', 'u32', 'i32'],
  });
  const remove = libcFunction('removexattr', { return: 'i32', arguments: ['string', 'buffer', 'i32'] });
  const flist = libcFunction('flistxattr', { return: 'i32', arguments: ['i32', 'buffer', 'u64', 'i32'] });
  const fget = libcFunction('fgetxattr', {
    return: 'i32',
    arguments: ['i32', 'buffer', 'buffer', 'u64', 'u32', 'i32'],
  });
  const fset = libcFunction('fsetxattr', {
    return: 'i32',
    arguments: ['i32', 'buffer', 'buffer', 'u64', 'u32', 'i32'],
  });
  const fremove = libcFunction('fremovexattr', { return: 'i32', arguments: ['i32', 'buffer', 'i32'] });
  if (!list || !get || !set || !remove || !flist || !fget || !fset || !fremove) return undefined;
  const noFollow = 1;
  return {
    list: (to, into) => (isFd(to) ? flist(to, into, size(into), 0) : list(cString(to), into, size(into), noFollow)),
    get: (to, name, into) =>
      isFd(to) ? fget(to, name, into, size(into), 0, 0) : get(cString(to), name, into, size(into), 0, noFollow),
    set: (to, name, from) =>
      isFd(to) ? fset(to, name, from, size(from), 0, 0) : set(cString(to), name, from, size(from), 0, noFollow),
    remove: (to, name) => (isFd(to) ? fremove(to, name, 0) : remove(cString(to), name, noFollow)),
  };
}

function isFd(target: Target): target is number {
  return typeof target === 'number';
}

function size(buffer: Uint8Array): bigint {
  return BigInt(buffer.length);
}

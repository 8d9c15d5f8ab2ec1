import { constants } from 'node:os';
import type * as Ffi from 'node:ffi';
import type { DynamicLibrary, FunctionSignature, WrappedFunctionFromSignature } from 'node:ffi';
import { systemError } from './system-error.ts';

/**
 * The C library of this process, for what Node lacks. Each facility of this room asks here for the functions that it
 * needs, once, when it is loaded; where one is missing (another C library, a Node without FFI) it gets undefined, and
 * `missingFacilities` says what is not preserved.
 */
const ffi = loadFfi();
const library = openProcessImage();

/** A function of libc, or undefined where there is none. Sizes and results that fit are passed as i32 and u32. */
export function libcFunction<const S extends FunctionSignature>(
  name: string,
  signature: S,
): WrappedFunctionFromSignature<S> | undefined {
  try {
    return library?.getFunction(name, signature);
  } catch {
    return undefined; // not in this C library: what it was for is reported as missing
  }
}

const errnoFunction = process.platform === 'darwin' ? '__error' : '__errno_location';
const errnoAddress = libcFunction(errnoFunction, { return: 'pointer', arguments: [] })?.();

/** The error that the libc call just made left behind; only of use directly after it. */
export function lastErrno(): number {
  return ffi === undefined || errnoAddress === undefined ? 0 : ffi.getInt32(errnoAddress, 0);
}

/** Throws what libc refused when `result` is -1, else hands it on. */
export function checked(call: string, result: number): number {
  if (result === -1) throw systemError(call, lastErrno());
  return result;
}

/** A path as an argument of type 'string'; exact for every name. */
export function cString(path: string): string | Uint8Array {
  if (path.includes('\0')) throw systemError('path', constants.errno.EINVAL);
  return /[^\x00-\x7f]/.test(path) ? Buffer.from(`${path}\0`, 'latin1') : path;
}

/** The NUL-terminated UTF-8 at an address kept at `offset` of `struct`, '' for NULL. */
export function textBehind(struct: Buffer, offset: number): string {
  return ffi?.toString(struct.readBigUInt64LE(offset)) ?? '';
}

function openProcessImage(): DynamicLibrary | undefined {
  if (ffi === undefined || process.platform === 'win32') return undefined;
  return new ffi.DynamicLibrary(null);
}

/** Loads node:ffi without its notice of being experimental, which is nothing that a user can act on; others pass. */
function loadFfi(): typeof Ffi | undefined {
  const emit = process.emitWarning.bind(process);
  const original = Object.getOwnPropertyDescriptor(process, 'emitWarning');
  process.emitWarning = (...args: unknown[]) => {
    if (!String(args[0]).startsWith('FFI is an experimental feature')) Reflect.apply(emit, process, args);
  };
  try {
    return process.getBuiltinModule('node:ffi');
  } finally {
    if (original !== undefined) Object.defineProperty(process, 'emitWarning', original);
  }
}

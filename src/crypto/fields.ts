import { HoldfastError } from '../errors/error.ts';

/** A key file's fields, parsed strictly; all fail with `damaged`. */
export type Json = Readonly<Record<string, unknown>>;

export function parseObject(bytes: Uint8Array): Json {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    // The parser's error quotes what it read, which may be a key.
    throw malformed('it is not JSON');
  }
  if (!isObject(value)) throw malformed('it is not a JSON object');
  return value;
}

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(object: Json, name: string): string {
  const value = object[name];
  if (typeof value !== 'string') throw malformed(`"${name}" is not a string`);
  return value;
}

/** `absent` where there is none, or null. */
export function optionalText(object: Json, name: string, absent: string): string {
  return object[name] === undefined || object[name] === null ? absent : text(object, name);
}

export function count(object: Json, name: string): number {
  const value = object[name];
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw malformed(`"${name}" is not a whole number`);
  return value;
}

export function binary(object: Json, name: string): Uint8Array {
  const encoded = text(object, name);
  try {
    return Uint8Array.fromBase64(encoded);
  } catch (cause) {
    throw malformed(`"${name}" is not base64`, cause);
  }
}

/** Key material: exactly so long, and not all zero, which restic refuses. */
export function secret(object: Json, name: string, length: number): Uint8Array {
  const value = binary(object, name);
  if (value.length !== length || value.every((byte) => byte === 0))
    throw malformed(`"${name}" is not a key of ${length} bytes`);
  return value;
}

/** Never shows the content: it may be a key. */
export function malformed(what: string, cause?: unknown): HoldfastError {
  return new HoldfastError('damaged', `a key file is malformed: ${what}`, { cause });
}

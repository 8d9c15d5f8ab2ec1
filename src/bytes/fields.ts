import { HoldfastError } from '../errors/error.ts';

/** A JSON object that somebody else wrote: nothing is known of its values. */
export type Fields = Readonly<Record<string, unknown>>;

const [comma, openBrace, openBracket] = Buffer.from(',{[');

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The JSON object in `bytes`; 'damaged' naming `what` when there is none. */
export function parseFields(bytes: Uint8Array, what: string): Fields {
  return fieldsOf(parseJson(bytes, what), what);
}

/** As `parseFields`, of a text of our own keeping, whose size is known to be modest. */
export function fieldsInText(text: string, what: string): Fields {
  try {
    return fieldsOf(JSON.parse(text), what);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw damaged(what, 'is no JSON', cause);
  }
}

/** Far more than the largest index has; a value of three bytes takes dozens once it is parsed. */
const maxValues = 16 * 1024 * 1024;

/** Refuses a text that would take many times its own size. */
export function assertModest(bytes: Uint8Array, what: string): void {
  if (bytes.length / 2 < maxValues) return;
  let values = 0;
  for (const byte of bytes) if (byte === comma || byte === openBrace || byte === openBracket) values += 1;
  if (values > maxValues) throw damaged(what, `has more than ${maxValues} values`);
}

function parseJson(bytes: Uint8Array, what: string): unknown {
  assertModest(bytes, what);
  try {
    return JSON.parse(utf8.decode(bytes));
  } catch (cause) {
    throw damaged(what, 'is no JSON', cause);
  }
}

export function fieldsOf(value: unknown, what: string): Fields {
  if (!isFields(value)) throw damaged(what, 'is no JSON object');
  return value;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function listOf(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw damaged(what, 'is no JSON array');
  return value;
}

export function textOf(value: unknown, what: string): string {
  if (typeof value !== 'string') throw damaged(what, 'is no text');
  return value;
}

/** An integer from 0 to `max`. */
export function countOf(value: unknown, max: number, what: string): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max) return value;
  throw damaged(what, `is no integer from 0 to ${max}`);
}

/** `fields` without those named: what only other clients know, to be kept on a rewrite. */
export function fieldsExcept(fields: Fields, ...known: readonly string[]): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !known.includes(name)));
}

function damaged(what: string, problem: string, cause?: unknown): HoldfastError {
  return new HoldfastError('damaged', `${what} ${problem}`, { cause });
}

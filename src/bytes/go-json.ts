import { runeAt, utf8Bytes } from './utf8.ts';

/**
 * JSON as Go's encoding/json writes it. Everything here is a byte string (one char a byte, see RawPath): what is
 * written becomes bytes by latin1.
 */

/** A byte string as a JSON string, with Go's escapes; a byte that isn't UTF-8 becomes the escape of U+FFFD. */
export function goJsonString(bytes: string): string {
  if (plain.test(bytes)) return `"${bytes}"`;
  let json = '';
  for (let at = 0; at < bytes.length;) {
    const { codePoint, width } = runeAt(bytes, at);
    json += width === 0 ? '\\ufffd' : escapeRune(bytes.slice(at, at + width), codePoint);
    at += Math.max(1, width);
  }
  return `"${json}"`;
}

/** ASCII that Go leaves as it is: all but controls and `" \ & < >`. */
const plain = /^[ !#-%'-;=?-[\]-\x7f]*$/;

const escapes: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

function escapeRune(rune: string, codePoint: number): string {
  const escape = escapes[rune];
  if (escape !== undefined) return escape;
  return needsEscape(codePoint) ? `\\u${codePoint.toString(16).padStart(4, '0')}` : rune;
}

function needsEscape(codePoint: number): boolean {
  if (codePoint < 0x20 || codePoint === 0x2028 || codePoint === 0x2029) return true;
  return codePoint === 0x26 || codePoint === 0x3c || codePoint === 0x3e;
}

/** A parsed JSON value, members in their order, whole numbers exact where they are bigint. */
export function goJsonValue(value: unknown): string {
  if (typeof value === 'string') return goJsonString(utf8Bytes(value));
  if (typeof value === 'bigint') return `${value}`;
  if (Array.isArray(value)) return `[${value.map(goJsonValue).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return `{${members.map(([key, member]) => `${goJsonString(utf8Bytes(key))}:${goJsonValue(member)}`).join(',')}}`;
}

/**
 * JSON.parse that keeps whole numbers beyond 2^53 exact: these become bigint, all others stay numbers.
 */
export function parseGoJson(text: string): unknown {
  if (!longNumber.test(text)) return JSON.parse(text);
  return JSON.parse(text, (_key, value: unknown, context?: { readonly source?: string }) => {
    const exact = typeof value !== 'number' || Number.isSafeInteger(value) || !wholeNumber.test(context?.source ?? '');
    return exact ? value : BigInt(context?.source ?? '');
  });
}

/** Sixteen digits may exceed 2^53; a hit inside a string only costs time. */
const longNumber = /[:[,]\s*-?[0-9]{16}/;
const wholeNumber = /^-?[0-9]+$/;

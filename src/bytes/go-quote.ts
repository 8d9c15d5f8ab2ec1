import { HoldfastError } from '../errors/error.ts';
import { isPrintable } from './printable.ts';
import { isScalar, runeAt, utf8Bytes } from './utf8.ts';

/**
 * Go's strconv.Quote and Unquote, without the outer quotes, over byte strings (one char a byte, see RawPath).
 * restic stores names this way, so it must be exact in both directions.
 */
export function quoteGo(bytes: string): string {
  if (plain.test(bytes)) return bytes;
  let quoted = '';
  for (let at = 0; at < bytes.length;) {
    const { codePoint, width } = runeAt(bytes, at);
    quoted += width === 0 ? hex('x', bytes.charCodeAt(at), 2) : quoteRune(bytes.slice(at, at + width), codePoint);
    at += Math.max(1, width);
  }
  return quoted;
}

/** Printable ASCII without `"` and `\`. */
const plain = /^[ !#-[\]-~]*$/;

const shortEscapes: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
};

function quoteRune(rune: string, codePoint: number): string {
  const short = shortEscapes[rune];
  if (short !== undefined) return short;
  if (isPrintable(codePoint)) return rune;
  if (codePoint < 0x80) return hex('x', codePoint, 2);
  return codePoint < 0x10000 ? hex('u', codePoint, 4) : hex('U', codePoint, 8);
}

function hex(letter: 'x' | 'u' | 'U', value: number, digits: number): string {
  return `\\${letter}${value.toString(16).padStart(digits, '0')}`;
}

/** 'damaged' when it isn't what Go's Unquote accepts between double quotes. */
export function unquoteGo(quoted: string): string {
  if (plain.test(quoted)) return quoted;
  let bytes = '';
  for (let at = 0; at < quoted.length;) {
    const char = quoted.charAt(at);
    if (char === '"' || char === '\n') throw notQuoted(quoted);
    const taken = char === '\\' ? escapeLength(quoted, at) : 1;
    bytes += char === '\\' ? unescape(quoted.slice(at + 1, at + taken), quoted) : char;
    at += taken;
  }
  return bytes;
}

const escapeLengths: Readonly<Record<string, number>> = { x: 4, u: 6, U: 10, 0: 4, 1: 4, 2: 4, 3: 4 };

function escapeLength(quoted: string, at: number): number {
  return escapeLengths[quoted.charAt(at + 1)] ?? 2;
}

const shortUnescapes: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(shortEscapes).map(([char, escaped]) => [escaped.slice(1), char]),
);

/** `code` is an escape without its backslash. */
function unescape(code: string, quoted: string): string {
  const short = shortUnescapes[code];
  if (short !== undefined) return short;
  if (/^[0-3][0-7]{2}$/.test(code)) return String.fromCharCode(Number.parseInt(code, 8));
  if (!/^(?:x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})$/i.test(code)) throw notQuoted(quoted);
  const value = Number.parseInt(code.slice(1), 16);
  if (code.startsWith('x')) return String.fromCharCode(value);
  if (!isScalar(value)) throw notQuoted(quoted);
  return utf8Bytes(String.fromCodePoint(value));
}

function notQuoted(quoted: string): HoldfastError {
  return new HoldfastError('damaged', `not a quoted name: ${JSON.stringify(quoted.slice(0, 200))}`);
}

import { assertModest } from '../../bytes/fields.ts';
import { HoldfastError } from '../../errors/error.ts';

const [quote, backslash, openBrace, closeBrace, openBracket, closeBracket, comma, colon] = Buffer.from('"\\{}[],:');

/**
 * The elements of the array `nodes` of a tree's JSON, each as its own text, found without parsing them: so a
 * directory of a million files is decoded one node at a time. Other members of the object are passed over, as
 * restic does for what a later version may add.
 */
export class NodeElements {
  readonly #bytes: Buffer;
  /** Some of it, one char a byte, from where `#windowStart` says. */
  #window = '';
  #windowStart = 0;
  #place: 'before the array' | 'at an element' | 'behind an element' | 'ended' = 'before the array';
  #at = 0;

  constructor(json: Uint8Array) {
    this.#bytes = Buffer.from(json.buffer, json.byteOffset, json.byteLength);
  }

  /** Undefined at the end, and after an error. */
  next(): string | undefined {
    if (!this.#reachElement()) return undefined;
    const start = this.#at;
    this.#place = 'ended';
    this.#at = valueEnd(this.#bytes, start);
    const text = nodeText(this.#bytes, start, this.#at);
    this.#place = 'behind an element';
    return text;
  }

  /**
   * For who knows already how the next element reads: it begins at `at` of `text`, which has one char a byte and may
   * break off before the element ends.
   */
  lookAhead(): { readonly text: string; readonly at: number } | undefined {
    if (!this.#reachElement()) return undefined;
    const end = this.#windowStart + this.#window.length;
    if (this.#at + aheadBytes > end && end < this.#bytes.length) {
      this.#windowStart = this.#at;
      this.#window = this.#bytes.toString('latin1', this.#at, this.#at + windowBytes);
    }
    return { text: this.#window, at: this.#at - this.#windowStart };
  }

  /** Passes over the element that `lookAhead` told of; it has so many bytes. */
  pass(length: number): void {
    this.#at += length;
    this.#place = 'behind an element';
  }

  #reachElement(): boolean {
    if (this.#place === 'at an element') return true;
    const place = this.#place;
    if (place === 'ended') return false;
    this.#place = 'ended';
    const bytes = this.#bytes;
    if (place === 'before the array') this.#at = expect(bytes, nodesStart(bytes), '[');
    else this.#at = skipBlanks(bytes, this.#at);
    if (bytes[this.#at] === closeBracket) endOfObject(bytes, this.#at + 1);
    else {
      if (place === 'behind an element') this.#at = expect(bytes, this.#at, ',');
      this.#place = 'at an element';
    }
    return this.#place === 'at an element';
  }
}

/** Made into text at once, and how much of it shall be ahead: more than almost any element has. */
const windowBytes = 64 * 1024;
const aheadBytes = 8 * 1024;

/** Where the array `nodes` begins. */
function nodesStart(bytes: Buffer): number {
  let at = expect(bytes, 0, '{');
  for (let key = ''; key !== 'nodes';) {
    const keyEnd = valueEnd(bytes, at);
    key = memberName(bytes.toString('utf8', at, Math.min(keyEnd, at + longestKey)));
    at = skipBlanks(bytes, expect(bytes, keyEnd, ':'));
    if (key !== 'nodes') at = expect(bytes, valueEnd(bytes, at), ',');
  }
  return at;
}

/** Of a member that is looked for; what is longer is another. */
const longestKey = 100;

/** A file of terabytes names its blobs in less. */
const maxNodeBytes = 256 * 1024 * 1024;

function nodeText(bytes: Buffer, at: number, end: number): string {
  if (end - at > maxNodeBytes) throw notTree('a node takes more than 256 MiB');
  assertModest(bytes.subarray(at, end), 'a node of a tree');
  return bytes.toString('utf8', at, end);
}

function endOfObject(bytes: Buffer, start: number): void {
  let at = skipBlanks(bytes, start);
  while (bytes[at] === comma) {
    const value = expect(bytes, valueEnd(bytes, skipBlanks(bytes, at + 1)), ':');
    at = skipBlanks(bytes, valueEnd(bytes, value));
  }
  expect(bytes, at, '}');
}

/** Past the character, which must be next, and the blanks behind it. */
function expect(bytes: Buffer, start: number, char: string): number {
  const at = skipBlanks(bytes, start);
  if (bytes[at] !== char.charCodeAt(0)) throw notTree(`'${char}' expected at byte ${at}`);
  return skipBlanks(bytes, at + 1);
}

function skipBlanks(bytes: Buffer, start: number): number {
  let at = start;
  while (bytes[at] === 0x20 || bytes[at] === 0x0a || bytes[at] === 0x0d || bytes[at] === 0x09) at += 1;
  return at;
}

/** Where the value at `start` ends: only brackets and strings are understood, the parser judges the rest. */
function valueEnd(bytes: Buffer, start: number): number {
  let depth = 0;
  for (let at = start; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === quote) {
      at = stringEnd(bytes, at);
      if (depth === 0) return at + 1;
    } else if (byte === openBrace || byte === openBracket) {
      depth += 1;
    } else if (byte === closeBrace || byte === closeBracket) {
      if (depth === 0) return at;
      depth -= 1;
      if (depth === 0) return at + 1;
    } else if (depth === 0 && (byte === comma || byte === colon)) {
      return at;
    }
  }
  throw notTree('it ends too early');
}

/** The closing quote of the string that opens at `start`. */
function stringEnd(bytes: Buffer, start: number): number {
  for (let at = start + 1; at < bytes.length; at += 1) {
    if (bytes[at] === backslash) at += 1;
    else if (bytes[at] === quote) return at;
  }
  throw notTree('it ends inside a string');
}

function memberName(text: string): string {
  return text.slice(1, -1);
}

function notTree(what: string): HoldfastError {
  return new HoldfastError('damaged', `not a tree: ${what}`);
}

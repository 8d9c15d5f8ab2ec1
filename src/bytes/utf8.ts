/**
 * UTF-8 as Go decodes it, over byte strings (one char a byte, see RawPath). A byte that starts no valid sequence
 * is one invalid rune of width 1: not the rule of the web, which joins some of them.
 */
export interface Rune {
  readonly codePoint: number;
  /** Bytes taken; 0 for a byte that isn't UTF-8. */
  readonly width: 0 | 1 | 2 | 3 | 4;
}

const invalid: Rune = { codePoint: 0xfffd, width: 0 };

export function runeAt(bytes: string, at: number): Rune {
  const lead = bytes.charCodeAt(at);
  if (lead < 0x80) return { codePoint: lead, width: 1 };
  if (lead >= 0xc2 && lead <= 0xdf) return sequence(bytes, at, 2, lead & 0x1f);
  if (lead >= 0xe0 && lead <= 0xef) return sequence(bytes, at, 3, lead & 0x0f);
  if (lead >= 0xf0 && lead <= 0xf4) return sequence(bytes, at, 4, lead & 0x07);
  return invalid;
}

const smallest = { 2: 0x80, 3: 0x800, 4: 0x10000 } as const;

function sequence(bytes: string, at: number, width: 2 | 3 | 4, leadBits: number): Rune {
  let codePoint = leadBits;
  for (let next = at + 1; next < at + width; next += 1) {
    // NaN past the end fails the comparison.
    const byte = bytes.charCodeAt(next);
    if ((byte & 0xc0) !== 0x80) return invalid;
    codePoint = (codePoint << 6) | (byte & 0x3f);
  }
  return isScalar(codePoint) && codePoint >= smallest[width] ? { codePoint, width } : invalid;
}

/** A code point that UTF-8 can carry: no surrogate. */
export function isScalar(codePoint: number): boolean {
  return codePoint < 0xd800 || (codePoint > 0xdfff && codePoint <= 0x10ffff);
}

const nonAscii = /[^\x00-\x7f]/;

export function isUtf8(bytes: string): boolean {
  if (!nonAscii.test(bytes)) return true;
  for (let at = 0; at < bytes.length;) {
    const { width } = runeAt(bytes, at);
    if (width === 0) return false;
    at += width;
  }
  return true;
}

/** The byte string of a text. */
export function utf8Bytes(text: string): string {
  return nonAscii.test(text) ? Buffer.from(text, 'utf8').toString('latin1') : text;
}

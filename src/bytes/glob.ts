import { HoldfastError } from '../errors/error.ts';
import { displayPath, type RawPath } from './ids.ts';
import { runeAt } from './utf8.ts';

/**
 * One name of a path against a pattern with `*`, `?`, `[a-z]`, `[^a-z]` and `\`, exactly as Go's filepath.Match,
 * which restic's excludes are made of: `?` and classes take one UTF-8 character (or one byte that is none), and
 * nothing takes a '/'. A malformed pattern is 'usage'.
 */
export function compileGlob(pattern: RawPath): (name: string) => boolean {
  const segments = parse(pattern);
  return (name) => matches(segments, name);
}

/** Whether a text has anything but itself to say as a pattern. */
export function hasGlob(text: string): boolean {
  return /[*?[\\]/.test(text);
}

/** What stands between stars: single characters, one after the other. */
interface Segment {
  readonly afterStar: boolean;
  readonly steps: readonly Step[];
}

type Step =
  | { readonly kind: 'byte'; readonly byte: string }
  | { readonly kind: 'any' }
  | { readonly kind: 'class'; readonly negated: boolean; readonly ranges: readonly (readonly [number, number])[] };

function matches(segments: readonly Segment[], name: string): boolean {
  let at = 0;
  for (const [i, segment] of segments.entries()) {
    const last = i === segments.length - 1;
    if (last && segment.afterStar && segment.steps.length === 0) return !name.includes('/', at);
    const end = placeOf(segment, name, at, last);
    if (end === undefined) return false;
    at = end;
  }
  return at === name.length;
}

/** Where the segment ends when it is put at the first place that it fits, at `from` or, after a star, later. */
function placeOf(segment: Segment, name: string, from: number, last: boolean): number | undefined {
  for (let at = from; ; at += 1) {
    const end = follow(segment.steps, name, at);
    if (end !== undefined && (end === name.length || !last)) return end;
    if (!segment.afterStar || at >= name.length || name[at] === '/') return undefined;
  }
}

function follow(steps: readonly Step[], name: string, from: number): number | undefined {
  let at = from;
  for (const step of steps) {
    if (at >= name.length) return undefined;
    if (step.kind === 'byte') {
      if (name[at] !== step.byte) return undefined;
      at += 1;
    } else {
      const { codePoint, width } = runeAt(name, at);
      if (step.kind === 'any' ? name[at] === '/' : inRanges(step.ranges, codePoint) === step.negated) return undefined;
      at += Math.max(1, width);
    }
  }
  return at;
}

function inRanges(ranges: readonly (readonly [number, number])[], codePoint: number): boolean {
  return ranges.some(([low, high]) => low <= codePoint && codePoint <= high);
}

function parse(pattern: RawPath): readonly Segment[] {
  const reader = new Reader(pattern);
  const segments: Segment[] = [];
  while (!reader.done) {
    const afterStar = reader.skipStars();
    const steps: Step[] = [];
    while (!reader.done && !reader.at('*')) steps.push(reader.step());
    segments.push({ afterStar, steps });
  }
  return segments;
}

class Reader {
  readonly #text: RawPath;
  #at = 0;

  constructor(text: RawPath) {
    this.#text = text;
  }

  get done(): boolean {
    return this.#at >= this.#text.length;
  }

  at(char: string): boolean {
    return this.#text[this.#at] === char;
  }

  skipStars(): boolean {
    const start = this.#at;
    while (this.at('*')) this.#at += 1;
    return this.#at > start;
  }

  step(): Step {
    if (this.at('[')) return this.#class();
    if (this.#skip('?')) return { kind: 'any' };
    this.#skip('\\');
    return { kind: 'byte', byte: this.#take() };
  }

  #class(): Step {
    this.#skip('[');
    const negated = this.#skip('^');
    const ranges: (readonly [number, number])[] = [];
    while (ranges.length === 0 || !this.#skip(']')) {
      const low = this.#classRune();
      ranges.push([low, this.#skip('-') ? this.#classRune() : low]);
    }
    return { kind: 'class', negated, ranges };
  }

  /** A character of a class; one that ends the pattern leaves the class open. */
  #classRune(): number {
    if (this.done || this.at('-') || this.at(']')) throw this.#bad();
    this.#skip('\\');
    if (this.done) throw this.#bad();
    const { codePoint, width } = runeAt(this.#text, this.#at);
    this.#at += width;
    if (width === 0 || this.done) throw this.#bad();
    return codePoint;
  }

  #skip(char: string): boolean {
    if (!this.at(char)) return false;
    this.#at += 1;
    return true;
  }

  #take(): string {
    const char = this.#text[this.#at];
    if (char === undefined) throw this.#bad();
    this.#at += 1;
    return char;
  }

  #bad(): HoldfastError {
    return new HoldfastError('usage', `malformed pattern: ${displayPath(this.#text)}`);
  }
}

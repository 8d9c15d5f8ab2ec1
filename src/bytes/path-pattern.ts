import { HoldfastError } from '../errors/error.ts';
import { compileGlob, hasGlob } from './glob.ts';
import { displayPath, type RawPath } from './ids.ts';
import { cleanPath, pathParts } from './unix-path.ts';
import { runeAt, utf8Bytes } from './utf8.ts';

/**
 * Patterns of --exclude and --include, exactly as restic reads them. A pattern is matched part by part against a
 * path: a relative one anywhere in it, one that begins with '/' from its start, so that what lies below a match
 * matches too; `**` stands for any number of parts. In a list a pattern that begins with '!' takes back what those
 * before it matched.
 */
export interface PathPatterns {
  /** `path` is cleaned and not empty. */
  matches(path: RawPath): boolean;
  /** As `matches` for a path in parts (`pathParts`), for a walk that has them at hand. */
  matchesParts(parts: readonly string[]): boolean;
  /** Whether the path matches, and whether something below it may. */
  matchesHereOrBelow(path: RawPath): { readonly matched: boolean; readonly belowMayMatch: boolean };
}

export interface PatternOptions {
  /** 'ignored': both sides are lower-cased, as for --iexclude. */
  readonly case: 'exact' | 'ignored';
}

/** Empty texts are left out. 'usage', naming all of them, when patterns are malformed. */
export function parsePathPatterns(
  texts: readonly RawPath[],
  options: PatternOptions = { case: 'exact' },
): PathPatterns {
  const fold = options.case === 'ignored' ? lowerCase : (text: string) => text;
  const patterns = parseAll(
    texts.filter((text) => text !== ''),
    fold,
  );
  const matchesParts = (parts: readonly string[]): boolean => list(patterns, parts.map(fold)).matched;
  return {
    matchesParts,
    matches: (path) => matchesParts(pathParts(path)),
    matchesHereOrBelow: (path) => list(patterns, pathParts(path).map(fold)),
  };
}

interface Pattern {
  readonly parts: readonly Part[];
  readonly negated: boolean;
}

type Part =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'glob'; readonly matches: (name: string) => boolean }
  | { readonly kind: 'any-depth' };

const anyName: Part = { kind: 'glob', matches: (name) => !name.includes('/') };

function parseAll(texts: readonly RawPath[], fold: (text: string) => string): readonly Pattern[] {
  const bad: string[] = [];
  const patterns = texts.flatMap((text) => {
    try {
      return [parse(fold(text) as RawPath)];
    } catch (error) {
      bad.push(displayPath(text));
      if (!(error instanceof HoldfastError)) throw error;
      return [];
    }
  });
  if (bad.length > 0) throw new HoldfastError('usage', `malformed patterns: ${bad.join(', ')}`);
  return patterns;
}

function parse(text: RawPath): Pattern {
  const negated = text.startsWith('!');
  const path = cleanPath((negated ? text.slice(1) : text) as RawPath);
  return { negated, parts: pathParts(path).map(parsePart) };
}

function parsePart(text: string): Part {
  // An empty part, as '/' alone has, counts as `**`.
  if (text === '**' || text === '') return { kind: 'any-depth' };
  if (!hasGlob(text) && !text.includes(']')) return { kind: 'name', name: text };
  return { kind: 'glob', matches: compileGlob(text as RawPath) };
}

function list(patterns: readonly Pattern[], path: readonly string[]): { matched: boolean; belowMayMatch: boolean } {
  let [matched, belowMayMatch] = [false, false];
  for (const { parts, negated } of patterns) {
    const here = match(parts, path);
    matched = negated ? matched && !here : matched || here;
    belowMayMatch = negated ? belowMayMatch && !here : belowMayMatch || mayMatchBelow(parts, path);
  }
  return { matched, belowMayMatch };
}

function match(parts: readonly Part[], path: readonly string[]): boolean {
  const any = parts.findIndex(({ kind }) => kind === 'any-depth');
  if (any === -1) return matchSomewhere(parts, path);
  const [before, after] = [parts.slice(0, any), parts.slice(any + 1)];
  for (let depth = 0; before.length + depth + after.length <= path.length; depth += 1) {
    const names = Array.from({ length: depth }, () => anyName);
    if (match([...before, ...names, ...after], path)) return true;
  }
  return false;
}

function matchSomewhere(parts: readonly Part[], path: readonly string[]): boolean {
  if (parts.length === 0) return path.length === 0;
  // A relative pattern doesn't match the root itself.
  const first = !isRooted(parts) && path[0] === '/' ? 1 : 0;
  const last = isRooted(parts) ? 0 : path.length - parts.length;
  for (let offset = last; offset >= first && offset + parts.length <= path.length; offset -= 1) {
    if (matchAt(parts, path, offset)) return true;
  }
  return false;
}

function matchAt(parts: readonly Part[], path: readonly string[], offset: number): boolean {
  for (let i = parts.length - 1; i >= 0; i -= 1) {
    const [part, name] = [parts[i], path[offset + i]];
    if (part === undefined || name === undefined || part.kind === 'any-depth') return false;
    if (part.kind === 'name' ? part.name !== name : !part.matches(name)) return false;
  }
  return true;
}

function mayMatchBelow(parts: readonly Part[], path: readonly string[]): boolean {
  if (!isRooted(parts)) return true;
  const any = parts.findIndex(({ kind }) => kind === 'any-depth');
  const start = any === -1 ? path : path.slice(0, any);
  return match(parts.slice(0, start.length), start);
}

function isRooted([first]: readonly Part[]): boolean {
  return first?.kind === 'name' && first.name === '/';
}

/** As Go lower-cases: each character for itself, U+FFFD for a byte that is no UTF-8. */
function lowerCase(text: string): string {
  if (/^[\x00-\x7f]*$/.test(text)) return text.toLowerCase();
  let lower = '';
  for (let at = 0; at < text.length;) {
    const { codePoint, width } = runeAt(text, at);
    const [first = ''] = String.fromCodePoint(codePoint).toLowerCase();
    lower += first;
    at += Math.max(1, width);
  }
  return utf8Bytes(lower);
}

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { HoldfastError } from '../errors/error.ts';
import { rawPathOf, type RawPath } from './ids.ts';
import { parsePathPatterns } from './path-pattern.ts';
import { cleanPath } from './unix-path.ts';

type Vector = readonly [patterns: RawPath[], path: RawPath, letterCase: 'exact' | 'ignored', answer: string];

const file = new URL('../../test/vectors/path-patterns.json', import.meta.url);
const { vectors } = JSON.parse(readFileSync(file, 'utf8')) as { readonly vectors: readonly Vector[] };

function answer([patterns, path, letterCase]: Vector): string {
  try {
    const { matched, belowMayMatch } = parsePathPatterns(patterns, { case: letterCase }).matchesHereOrBelow(path);
    return `${matched} ${belowMayMatch}`;
  } catch (error) {
    assert.ok(error instanceof HoldfastError && error.code === 'usage', String(error));
    return 'malformed';
  }
}

test('paths match as they do in restic', () => {
  for (const vector of vectors) assert.equal(answer(vector), vector[3], JSON.stringify(vector));
  assert.ok(vectors.length >= 400);
});

function matches(pattern: string, path: string): boolean {
  return parsePathPatterns([rawPathOf(pattern)]).matches(rawPathOf(path));
}

test('a relative pattern matches anywhere, and what lies below a match', () => {
  assert.ok(matches('*.tmp', '/home/ann/x.tmp'));
  assert.ok(matches('cache', '/home/ann/cache/deep/file'));
  assert.ok(matches('ann/cache', '/home/ann/cache'));
  assert.ok(!matches('ann/x', '/home/ann/cache/x'));
});

test('a pattern from the root matches from the root only', () => {
  assert.ok(matches('/home', '/home/ann'));
  assert.ok(!matches('/ann', '/home/ann'));
});

test('two stars stand for any number of folders, none included', () => {
  for (const path of ['/a/b', '/a/x/b', '/a/x/y/z/b/c']) assert.ok(matches('/a/**/b', path), path);
  assert.ok(!matches('/a/**/b', '/a/x/c'));
});

test('one question mark takes one character, however many bytes it has', () => {
  assert.ok(matches('?.txt', '/ü.txt'));
  assert.ok(!matches('?.txt', '/üü.txt'));
});

test('a later pattern with "!" takes back what those before it matched', () => {
  const patterns = parsePathPatterns(['*.log', '!keep.log'].map(rawPathOf));
  assert.ok(patterns.matches(rawPathOf('/a.log')));
  assert.ok(!patterns.matches(rawPathOf('/keep.log')));
});

test('letter case is ignored on both sides when asked, beyond ASCII too', () => {
  const patterns = parsePathPatterns([rawPathOf('ÄRGER*')], { case: 'ignored' });
  assert.ok(patterns.matches(rawPathOf('/home/ärgernis')));
});

test('all malformed patterns are named at once', () => {
  assert.throws(() => parsePathPatterns(['[', 'fine', 'a/[z-'].map(rawPathOf)), /malformed patterns: \[, a\/\[z-/);
});

test('every pattern made of stars and literals agrees with its regular expression', () => {
  const piece = fc.constantFrom('a', 'b', '.', '*', 'ab');
  const name = fc.array(piece, { minLength: 1, maxLength: 5 }).map((pieces) => pieces.join(''));
  let runs = 0;
  fc.assert(
    fc.property(name, fc.stringMatching(/^[ab.]{1,6}$/), (pattern, text) => {
      fc.pre(cleanPath(rawPathOf(`/${text}`)) === `/${text}` && cleanPath(rawPathOf(pattern)) === pattern);
      fc.pre(pattern !== '**');
      const escaped = pattern.replaceAll('.', '\\.').replaceAll(/\*+/g, '[^/]*');
      assert.equal(matches(pattern, `/${text}`), new RegExp(`^${escaped}$`).test(text));
      runs += 1;
    }),
    { numRuns: 1000 },
  );
  assert.ok(runs >= 1000);
});
